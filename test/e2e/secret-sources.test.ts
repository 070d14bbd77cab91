// Secrets from every source, to everything that takes one, in both stores: what remembers, caches, tells, shows or is started has none of them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GitServer, gitToken, startGitServer } from "../support/git-server.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { assertNone, formsOf, searchStore, searchTree } from "../support/sentinels.ts";
import { startVault, type VaultServer } from "../support/vault.ts";
import { startWebService, type WebService } from "../support/web-service.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

/** By their sources. */
const values = {
  env: "env/val+ue?of&the-1'test\"6021",
  file: "file/val+ue?of&the-2'test\"6022",
  age: "age/val+ue?of&the-3'test\"6023",
  cmd: "cmd/val+ue?of&the-4'test\"6024",
  vault: "vault/val+ue?of&the-5'test\"6025",
  http: "Bearer http/val+ue?of&the-6-6026",
  login: "login/val+ue?of&the-7'test\"6027",
  git: gitToken,
} as const;
const forms = formsOf(...Object.values(values));
/** A program that is started gets the variables of whoever started dagger, and so what stands in those. */
const unseen = formsOf(...Object.entries(values).flatMap(([name, value]) => (name === "env" || name === "login" ? [] : [value])));

let bench: Bench;
let git: GitServer;
let web: WebService;
let registry: TestRegistry;
let vault: VaultServer;
let postgres: TestPostgres;
let env: Record<string, string>;
/** All that was printed. */
const seen: [where: string, data: Buffer][] = [];
/** Arguments and variables of processes, with what must not be in them. */
const told = new Map<string, readonly Buffer[]>();

before(async () => {
  const login = { username: "me", password: values.login };
  [bench, git, registry, vault, postgres] = await Promise.all([
    startBench({ daemonHistory: true }),
    startGitServer(),
    startRegistry({ login }),
    startVault(),
    startPostgres(),
  ]);
  web = await startWebService(({ headers }) => (headers.authorization === values.http ? { body: "fetched" } : { status: 401 }));
  await vault.call("POST", "secret/data/app", { data: { token: values.vault } });
  await git.commit("private/app", { file: "a private file" });
  for (const name of ["own", "tmp", "ci", "bad"]) mkdirSync(join(bench.dir, name));
  for (const [name, text] of Object.entries({ file: values.file, http: values.http, git: values.git, cmd: values.cmd, age: values.age }))
    writeFileSync(join(bench.dir, "own", name), text);
  env = {
    PATH: process.env["PATH"] ?? "",
    HOME: bench.dir,
    DAGGER_DATA_DIR: join(bench.dir, "data"),
    DAGGER_CACHE_DIR: join(bench.dir, "cache"),
    DAGGER_DAEMON_HISTORY: "on",
    TMPDIR: join(bench.dir, "tmp"),
    BUILDKIT_HOST: bench.daemon.address,
    VAULT_ADDR: vault.url,
    VAULT_TOKEN: vault.rootToken,
    FROM_ENV: values.env,
    LOGIN: values.login,
    NO_COLOR: "1",
  };
  writeFileSync(join(bench.dir, "ci/ci.cue"), config());
  writeFileSync(join(bench.dir, "bad/bad.cue"), failing);
});
after(async () => {
  await Promise.all([git?.stop(), web?.stop(), registry?.stop(), vault?.stop(), postgres?.stop()]);
  await bench?.end();
});

const ids = ["env", "file", "age", "cmd", "vault"];
const given = `env: {${ids.map((id) => `${id.toUpperCase()}: secret: "${id}"`).join(", ")}}, mount: {${ids.map((id) => `"/run/${id}": secret: "${id}"`).join(", ")}}, always: true`;
const script = `for v in ${ids.map((id) => `\\"$${id.toUpperCase()}\\" \\"$(cat /run/${id})\\"`).join(" ")}; do echo \\"it is $v\\"; printf %s \\"$v\\" | base64; done`;

const config = (): string => `package ci

import (
	"cuellb.dev/connector"
	"cuellb.dev/docker"
)

word: string
_image: {do: "fetch-container", ref: "docker.io/library/busybox:latest"}
registry: connector.#Registry
prints: #up: [_image, {do: "exec", args: ["sh", "-c", "${script}; echo \\(word) > /done"], ${given}}, {do: "save-dir", src: "/done", dest: "out"}]
told: {string, #up: [_image, {do: "exec", args: ["sh", "-c", "printf %s \\"$AGE $VAULT\\" > /v"], ${given}}, {do: "export", source: "/v"}]}
http: {string, #up: [{do: "fetch-http", url: "${web.url}/f", filename: "f", auth: secret: "http"}, {do: "export", source: "/f"}]}
private: {string, #up: [{do: "fetch-git", remote: "${git.url}/private/app", ref: "main", authToken: secret: "git"}, {do: "export", source: "/file"}]}
built: {string, #up: [
	{
		do: "docker-build"
		dockerfile: """
			FROM docker.io/library/busybox:latest
			RUN --mount=type=secret,id=file,required=true echo "in a Dockerfile $(cat /run/secrets/file)"; echo built \\(word) > /b
			"""
		secrets: ["file"]
	},
	{do: "export", source: "/b"},
]}
push: docker.#Push & {
	source: [{do: "write-file", dest: "/f", content: word}]
	name:   "\\(registry.host)/app:1"
	login:  registry.login
}
`;
const failing = `package bad

word: string
fails: #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "exec", args: ["sh", "-c", "${script}; echo \\(word); exit 3"], ${given}},
]
`;

/** Looks meanwhile at the arguments of all processes, and at the variables of those that dagger starts. */
async function dagger(args: readonly string[], more: Readonly<Record<string, string>> = {}, code = 0): Promise<string> {
  const child = spawn(join(repository, "bin/dagger"), [...args], {
    cwd: bench.dir,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => parts.push(part));
  const looking = setInterval(() => lookAround(child.pid ?? 0), 30);
  const ended = await new Promise<number>((done) => child.once("close", (status) => done(status ?? -1)));
  clearInterval(looking);
  const out = Buffer.concat(parts);
  seen.push([args.join(" "), out]);
  assert.equal(ended, code, `${args.join(" ")}: ${out.toString()}`);
  return out.toString();
}

function lookAround(root: number): void {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch {
      // It is gone.
      return Buffer.alloc(0);
    }
  };
  const parentOf = (pid: string): string | undefined =>
    / (\d+)/.exec(
      read(`/proc/${pid}/stat`)
        .toString()
        .replace(/^.*\) \w/s, ""),
    )?.[1];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const ancestors: string[] = [];
    for (let one = parentOf(pid); one !== undefined && one !== "0"; one = parentOf(one)) ancestors.push(one);
    const line = read(`/proc/${pid}/cmdline`);
    // BuildKit itself gives git the token as an argument, on the daemon's machine.
    if (ancestors.includes(String(bench.daemon.pid)) && line.toString().startsWith("git\0")) continue;
    told.set(`arguments: ${line.toString()}`, forms);
    if (ancestors.includes(String(root))) told.set(`variables: ${read(`/proc/${pid}/environ`).toString()}`, unseen);
  }
}

const flags = [
  ...["env=env:FROM_ENV", "file=file:own/file", "age=age:token", "cmd=cmd:cat own/cmd", "vault=vault:secret/app#token"],
  ...["http=file:own/http", "git=file:own/git"],
].flatMap((secret) => ["--secret", secret]);

async function everything(word: string, more: Readonly<Record<string, string>>): Promise<void> {
  const on = ["-s", "web", "-e", "dev"];
  const run = (...args: readonly string[]): Promise<string> => dagger(args, more);
  const inputs = ["-i", `word=${word}`, ...flags, "--allow-host"];
  for (const [at, shown] of [
    ["--progress", "plain"],
    ["--progress", "json"],
    ["--output", "json"],
    ["--debug", "--progress", "rawjson"],
  ].entries()) {
    const out = await run("up", ...on, ...inputs, ...shown);
    if (at === 0) assert.match(out, /it is \*\*\*/);
    if (at < 2) assert.match(out, /told: "?\*\*\* \*\*\*/);
  }
  await dagger(
    ["up", "bad", "-i", `word=${word}`, ...flags.map((flag) => flag.replace("age:token", "file:own/age")), "--allow-host", "--debug"],
    more,
    1,
  );
  const history = ["list", "show latest", "show latest --output json", "logs latest", "logs latest --output json"];
  for (const args of history) await run("history", ...args.split(" "));
  const [newest, before] = JSON.parse(await run("history", "list", "--output", "json")) as { id: string }[];
  await run("history", "diff", before?.id ?? "", newest?.id ?? "");
  await run("why", "prints", ...on, "-i", `word=${word}-else`);
  await run("plan", ...on, "-i", `word=${word}`, "--out", `${word}.plan`);
  await run("graph", ...on, "-i", `word=${word}`, "--format", "html");
  await run("llb", ...on, "-i", `word=${word}`, "--format", "json");
  for (const format of ["json", "yaml", "cue"]) await run("query", ...on, "--output", format);
  await run("output", "list", ...on, "--output", "json");
  await run("output", "get", "told", ...on, "--output", "json");
  for (const args of [
    ["input", "list"],
    ["secret", "list"],
    ["connector", "list"],
    ["connector", "check"],
  ])
    await run(...args, ...(args[0] === "connector" ? [] : on));
  for (const [where, data] of seen) assertNone(forms, data, where);
  for (const [text, none] of told) assertNone(none, Buffer.from(text), "a process");
}

async function searchAll(): Promise<void> {
  // Not what the person keeps, nor what a step writes itself to give it.
  const meant = (path: string): boolean =>
    path.startsWith(join(bench.dir, "own/")) || /\/snapshots\/\d+\/fs\/(v|value|values\/\d+)$/.test(path);
  assert.ok((await searchTree(forms, bench.dir, meant)) > 20);
  await searchTree(forms, bench.daemon.dir, meant);
}

test("secrets of all sources are in nothing that was printed, kept in the workspace's store, cached or saved", async () => {
  await dagger(["init"]);
  await dagger(["stack", "new", "web", "--dir", "ci", "--env", "dev"]);
  await dagger(["secret", "set", "token", "-s", "web", "-e", "dev", "--file", "own/age"]);
  const fields = [`host=${registry.host}`, "username=me", "insecure=true"];
  await dagger(["connector", "add", "registry", "own", ...fields, "--secret", "password=env:LOGIN"]);
  await everything("sqlite", {});
  assert.ok(web.received.some(({ headers }) => headers.authorization === values.http));
  assert.ok((await searchStore(forms, { file: join(bench.dir, ".dagger/state/store.db") })) > 50);
  await searchAll();
});

test("nor are they in a PostgreSQL", async () => {
  const url = await postgres.database();
  await everything("postgres", { DAGGER_STORE: url });
  assert.ok((await searchStore(forms, { url }, postgres.sql)) > 50);
  await searchAll();
});
