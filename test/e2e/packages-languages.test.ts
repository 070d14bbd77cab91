// Runs the examples of go, node, python and rust for real: in a Debian that the package debian fills, whose tools replace the default images.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startGitServer } from "../support/git-server.ts";
import { busyboxLayout, debianRoot } from "../support/images.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;

before(async () => {
  bench = await startBench();
  const imported = await bench.dagger(["image", "import", "docker.io/library/debian:bookworm-slim", await debianRoot()]);
  assert.equal(imported.code, 0, imported.stderr);
  const shell = await bench.dagger(["image", "import", "docker.io/library/busybox:1.37", (await busyboxLayout()).dir]);
  assert.equal(shell.code, 0, shell.stderr);
});
after(() => bench?.end());

/** Copies an example, and gives its components an image with the tools: that is what CUE's unification is for. */
function prepare(name: string, components: readonly string[]): string {
  const dir = join(bench.dir, name);
  cpSync(join(repository, "examples", name), dir, { recursive: true });
  replaceImages(dir, components);
  return dir;
}

/** Adds a file to the config in `dir` that gives components an image with the tools. */
function replaceImages(dir: string, components: readonly string[]): void {
  mkdirSync(join(dir, "ca"), { recursive: true });
  // A machine behind a proxy has authorities of its own.
  copyFileSync("/etc/ssl/certs/ca-certificates.crt", join(dir, "ca/ca-certificates.crt"));
  writeFileSync(
    join(dir, "tools.cue"),
    `package example

import ("cuellb.dev/debian", "cuellb.dev/op")

_tools: #up: [
	op.#Load & {from: debian.#Image & {packages: ["ca-certificates", "cargo", "git", "golang-go", "npm", "python3-venv"]}},
	op.#Copy & {from: [op.#Local & {dir: "ca"}], dest: "/etc/ssl/certs/"},
	op.#Env & {env: {PIP_CERT: "/etc/ssl/certs/ca-certificates.crt", NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt"}},
]
${components.map((component) => `${component}: image: _tools\n`).join("")}`,
  );
}

async function up(dir: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await bench.dagger(["up", dir, "--output", "json", "--progress", "plain"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { values: Record<string, unknown> }).values;
}

/** How many steps of a second run were not taken from the cache. */
async function stepsAgain(dir: string): Promise<number> {
  const { code, stdout, stderr } = await bench.dagger(["up", dir, "--output", "json"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { steps: { run: number } }).steps.run;
}

test("go tests and builds a program with modules, and fails when a test does", async () => {
  const dir = prepare("go", ["test", "build"]);
  const values = await up(dir);
  const said = "Hello, Go. Don't communicate by sharing memory, share memory by communicating.";
  assert.equal((values["greeting"] as { value: string }).value, said);
  assert.equal(execFileSync(join(dir, "dist/hello"), { encoding: "utf8" }), `${said}\n`);
  assert.equal(await stepsAgain(dir), 0);
  writeFileSync(join(dir, "src/main_test.go"), readFileSync(join(dir, "src/main_test.go"), "utf8").replace('"Hello, Ada"', '"Goodbye"'));
  const failed = await bench.dagger(["up", dir, "--progress", "plain"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /got "Hello, Ada"/);
});

test("node installs what the lock file says, tests and builds", async () => {
  const dir = prepare("node", ["test", "build"]);
  await up(dir);
  assert.equal(readFileSync(join(dir, "dist/day.txt"), "utf8"), "A day has 1440 minutes\n");
  assert.equal(await stepsAgain(dir), 0);
});

/** The registry of this machine's npm: what it can reach. Ends in "/". */
const npmRegistry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  .trim()
  .replace(/\/*$/, "/");

/** Of ms 2.1.3. */
const integrity = "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==";

/** A package that prints what a package of the registry says, and what its lock files hold. */
const managed = {
  "package.json":
    '{"name": "app", "private": true, "license": "MIT", "scripts": {"say": "node say.cjs"}, "dependencies": {"ms": "2.1.3"}}\n',
  "say.cjs": 'require("node:fs").writeFileSync("/said", `${require("ms")("2h")} ${process.argv[2]}`);\n',
  "yarn.lock": `# yarn lockfile v1


ms@2.1.3:
  version "2.1.3"
  resolved "${npmRegistry}ms/-/ms-2.1.3.tgz#574c8138ce1d2b5861f0b44579dbadd60c6615b2"
  integrity ${integrity}
`,
  "pnpm-lock.yaml": `lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      ms: {specifier: 2.1.3, version: 2.1.3}
packages:
  ms@2.1.3:
    resolution: {integrity: ${integrity}}
snapshots:
  ms@2.1.3: {}
`,
};

test("yarn and pnpm install what their lock files say and run scripts; a lock file that is out of date ends the run", async () => {
  const dir = join(bench.dir, "managers");
  mkdirSync(join(dir, "src"), { recursive: true });
  for (const [name, text] of Object.entries(managed)) writeFileSync(join(dir, "src", name), text);
  const one = (manager: string): string => `_${manager}: node.#Script & {
	source: _src, name: "say", args: ["by-${manager}"], manager: "${manager}"
	env: npm_config_registry: "${npmRegistry}"
}
${manager}: {string, #up: [op.#Load & {from: _${manager}}, op.#Export & {source: "/said"}]}
`;
  writeFileSync(
    join(dir, "up.cue"),
    `package example\n\nimport ("cuellb.dev/node", "cuellb.dev/op")\n\n_src: #up: [op.#Local & {dir: "src"}]\n${one("yarn")}${one("pnpm")}`,
  );
  replaceImages(dir, ["_yarn"]);
  // The pnpm of now wants a newer Node than Debian has.
  writeFileSync(
    join(dir, "pnpm.cue"),
    `package example\n\nimport "cuellb.dev/op"\n\n_pnpm: image: #up: [op.#Load & {from: _tools}, op.#Exec & {args: ["npm", "install", "-g", "pnpm@9.15.9"]}]\n`,
  );
  assert.deepEqual(await up(dir), { yarn: "7200000 by-yarn", pnpm: "7200000 by-pnpm" });
  assert.equal(await stepsAgain(dir), 0);
  writeFileSync(join(dir, "src/package.json"), managed["package.json"].replace("2.1.3", "2.1.2"));
  for (const [manager, says] of [
    ["yarn", /Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`/],
    ["pnpm", /ERR_PNPM_OUTDATED_LOCKFILE/],
  ] as const) {
    const failed = await bench.dagger(["up", dir, "-t", manager, "--progress", "plain"]);
    assert.equal(failed.code, 1, failed.stderr);
    assert.match(failed.stderr, says);
  }
});

test("python installs requirements into a virtual environment, tests, and gives a value", async () => {
  const dir = prepare("python", ["test", "report"]);
  assert.deepEqual((await up(dir))["figures"], { words: 4, title: "The Quick Brown Fox" });
  assert.equal(await stepsAgain(dir), 0);
});

test("rust tests and builds a program", async () => {
  const dir = prepare("rust", ["test", "build"]);
  await up(dir);
  assert.equal(execFileSync(join(dir, "dist/double"), ["4"], { encoding: "utf8" }), "8\n");
  assert.equal(await stepsAgain(dir), 0);
});

test("debian fills an image with packages of apt", async () => {
  const dir = prepare("debian", []);
  assert.equal(((await up(dir))["total"] as { value: string }).value, "42");
  assert.equal(await stepsAgain(dir), 0);
});

test("alpine fills the image of its version with packages of apk", async () => {
  // There is no Alpine here to run it in: a shell under its name is enough to tell what would be run.
  const shell = await bench.dagger(["image", "import", "docker.io/library/alpine:3.22", (await busyboxLayout()).dir]);
  assert.equal(shell.code, 0, shell.stderr);
  const dir = join(bench.dir, "alpine");
  cpSync(join(repository, "examples/alpine"), dir, { recursive: true });
  const { code, stdout, stderr } = await bench.dagger(["graph", dir, "--format", "json"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /docker\.io\/library\/alpine:3\.22/);
  assert.match(stdout, /apk add --cache-dir \/var\/cache\/apk --update-cache jq/);
});

test("the example of git names a build after the commit of a repository", async () => {
  const server = await startGitServer();
  try {
    const commit = await server.commit("app", { "hello.txt": "one" });
    const dir = prepare("git", ["about"]);
    const args = ["compute", dir, "-i", `remote=${server.url}/app`, "--progress", "plain"];
    const { code, stdout, stderr } = await bench.dagger(args);
    assert.equal(code, 0, stderr);
    const { about, version } = JSON.parse(stdout) as { about: { commit: string; short: string }; version: string };
    assert.equal(about.commit, commit);
    assert.match(version, new RegExp(`^${about.short} of \\d{4}-\\d\\d-\\d\\dT`));
  } finally {
    await server.stop();
  }
});

test("git tells commit, tag and date of a repository as values", async () => {
  const dir = join(bench.dir, "describe");
  const repo = join(dir, "repo");
  mkdirSync(repo, { recursive: true });
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.test", ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_COMMITTER_DATE: "2024-05-06T07:08:09Z" },
    }).trim();
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "one");
  git("tag", "v1.2.0");
  writeFileSync(
    join(dir, "up.cue"),
    `package example
import ("cuellb.dev/git", "cuellb.dev/op")
about: git.#Describe & {source: [op.#Local & {dir: "repo"}]}
`,
  );
  replaceImages(dir, ["about"]);
  const { about } = (await up(dir)) as { about: Record<string, string> };
  const commit = git("rev-parse", "HEAD");
  const { tag, describe, date, short } = about;
  assert.deepEqual({ tag, describe, date }, { tag: "v1.2.0", describe: "v1.2.0", date: "2024-05-06T07:08:09Z" });
  assert.equal(about["commit"], commit);
  assert.ok(commit.startsWith(short ?? "-"));
});
