// The pages of docs/ci/: their YAML is read, and the commands in it run, on a buildkitd that listens on TCP as a sidecar does.
// What is not run: the services themselves (GitHub, GitLab, Compose, Kubernetes) and their actions, how dagger is installed there, and the
// images of BuildKit; its flags are those that the pages give, and the cache of GitHub is a server of its protocol.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { parse, parseDocument } from "yaml";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { startActionsCache } from "../support/gha.ts";
import { readBlocks } from "../support/pages.ts";
import { startRegistry } from "../support/registry.ts";
import { freePort } from "../support/server.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

type Env = Readonly<Record<string, string>>;
interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly with?: object;
  readonly env?: Env;
}
interface Workflow {
  readonly on: object;
  readonly jobs: Readonly<Record<string, { readonly "runs-on": string; readonly env: Env; readonly steps: readonly Step[] }>>;
}
interface GitlabJob {
  readonly services: readonly { readonly command: readonly string[] }[];
  readonly variables: Env;
  readonly before_script: readonly string[];
  readonly script: readonly string[];
}
interface Compose {
  readonly services: Readonly<
    Record<string, { readonly command: readonly string[]; readonly environment: Env; readonly volumes: readonly string[] }>
  >;
}
interface Pod {
  readonly initContainers: readonly { readonly args: readonly string[] }[];
  readonly containers: readonly { readonly command: readonly string[]; readonly env: readonly { name: string; value?: string }[] }[];
}

const key = "the-key-of-the-seal";
let bench: Bench;
let sidecar: TestDaemon;
let port: number;

before(async () => {
  [bench, port] = await Promise.all([startBench(), freePort()]);
  sidecar = await startBuildkitd({ args: ["--addr", `tcp://127.0.0.1:${port}`] });
  for (const { file, text, language } of readBlocks(join(repository, "docs/tour.md"))) {
    if (file === undefined || language === "json") continue;
    mkdirSync(dirname(join(bench.dir, file)), { recursive: true });
    writeFileSync(join(bench.dir, file), text);
  }
  for (const args of [
    ["init"],
    ["stack", "new", "shop", "--dir", "ci", "--env", "staging", "--env", "production"],
    ["input", "set", "-s", "shop", "-e", "staging", "name", "Ada"],
    ["input", "set", "-s", "shop", "-e", "staging", "key", "env:SEAL_KEY", "--kind", "secret"],
  ]) {
    const { code, stderr } = await bench.dagger(args);
    assert.equal(code, 0, stderr);
  }
});
after(() => Promise.all([bench?.end(), sidecar?.stop()]));

function readPage<T>(name: string, file: string): T {
  const blocks = readBlocks(join(repository, "docs/ci", name));
  for (const { language, text, line } of blocks)
    if (language === "yaml") assert.deepEqual(parseDocument(text, { strict: true }).errors, [], `docs/ci/${name}:${line}`);
  const block = blocks.find((each) => each.file === file);
  assert.ok(block, `docs/ci/${name} gives no ${file}`);
  return parse(block.text) as T;
}

interface Ran {
  readonly code: number;
  readonly shown: string;
}

/** Runs a command as a job does: with the job's variables and few others, and the daemon where the sidecar is. */
function job(command: string, env: Env, home: string = bench.dir): Promise<Ran> {
  assert.match(env["BUILDKIT_HOST"] ?? "", /^tcp:\/\/(127\.0\.0\.1|buildkit):1234$/, "the port of the sidecar");
  const given = { ...env, HOME: home, BUILDKIT_HOST: `tcp://127.0.0.1:${port}`, DAGGER_DATA_DIR: join(bench.dir, "data") };
  const path = `${join(repository, "bin")}:${process.env["PATH"] ?? ""}`;
  return new Promise((done) => {
    execFile("bash", ["-euc", `exec 2>&1; ${command}`], { cwd: bench.dir, env: { PATH: path, CI: "true", ...given } }, (error, shown) => {
      done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, shown });
    });
  });
}

/** The run did it all, and told no secret. */
function assertDone({ code, shown }: Ran): void {
  assert.equal(code, 0, shown);
  assert.match(shown, /^seal: [0-9a-f]{8}$/m);
  assert.ok(!shown.includes(key), shown);
  assert.equal(readFileSync(join(bench.dir, "ci/letters/1.txt"), "utf8"), "Hello, Ada\n");
  rmSync(join(bench.dir, "ci/letters"), { recursive: true });
}

const words = (args: readonly string[]): string => args.map((arg) => `'${arg}'`).join(" ");

test("the workflow of GitHub has the shape that GitHub reads, and its commands run", async () => {
  const { on, jobs } = readPage<Workflow>("github-actions.md", ".github/workflows/ci.yml");
  assert.deepEqual(Object.keys(on), ["push", "pull_request"]);
  const build = jobs["build"];
  assert.ok(build?.["runs-on"]);
  const gha = await startActionsCache();
  try {
    let ran = 0;
    for (const step of build.steps) {
      assert.equal([step.run, step.uses].filter((each) => each !== undefined).length, 1, "a step runs or uses something");
      for (const name of Object.keys(step)) assert.match(name, /^(name|run|uses|with|env)$/);
      if (step.uses !== undefined) assert.match(step.uses, /^[\w-]+\/[\w-]+@v\d+$/);
      if (step.run === undefined || /^(npm install|docker run) /.test(step.run)) continue;
      const secret = step.env?.["SEAL_KEY"];
      if (secret !== undefined) assert.equal(secret, `${"$"}{{ secrets.SEAL_KEY }}`);
      const env = { ...build.env, ACTIONS_CACHE_URL: gha.url, ACTIONS_RUNTIME_TOKEN: gha.token, ...(secret && { SEAL_KEY: key }) };
      const outcome = await job(step.run, env);
      assert.equal(outcome.code, 0, `${step.run}\n${outcome.shown}`);
      if (secret !== undefined) assertDone(outcome);
      ran += 1;
    }
    assert.equal(ran, 3);
    const start = build.steps.find(({ run }) => run?.startsWith("docker run"))?.run;
    assert.match(start ?? "", /--publish 127\.0\.0\.1:1234:1234 .* --addr tcp:\/\/0\.0\.0\.0:1234$/);
    // As in a pull request from a fork: GitHub gives an empty variable, others none.
    const last = build.steps.at(-1)?.run ?? "";
    const empty = await job(last, { ...build.env, SEAL_KEY: "" });
    assert.notEqual(empty.code, 0);
    assert.match(empty.shown, /SEAL_KEY: is not among the secrets/);
    const without = await job("dagger up --progress plain", build.env);
    assert.equal(without.code, 2, without.shown);
    assert.match(without.shown, /error\[secret-env-not-set\]/);
  } finally {
    await gha.stop();
  }
});

test("the commands for the graph of a run leave a page", async () => {
  const { jobs } = readPage<Workflow>("github-actions.md", ".github/workflows/ci.yml");
  const block = readBlocks(join(repository, "docs/ci/github-actions.md")).find(({ text }) => text.includes("run.jsonl"));
  const outcome = await job(block?.text ?? "false", { ...jobs["build"]?.env, SEAL_KEY: key });
  assert.equal(outcome.code, 0, outcome.shown);
  assert.match(readFileSync(join(bench.dir, "graph.html"), "utf8"), /^<!doctype html>/i);
});

test("the job of GitLab runs, with its cache in a registry that wants a login", async () => {
  const { build } = readPage<{ build: GitlabJob }>("gitlab-ci.md", ".gitlab-ci.yml");
  assert.deepEqual(build.services[0]?.command, ["--addr", "tcp://0.0.0.0:1234"]);
  const login = { username: "gitlab-ci-token", password: "the-token-of-the-job" };
  const registry = await startRegistry({ login });
  try {
    const predefined: Env = {
      CI_REGISTRY: registry.host,
      CI_REGISTRY_IMAGE: `${registry.host}/group/shop`,
      CI_REGISTRY_USER: login.username,
      CI_REGISTRY_PASSWORD: login.password,
      SEAL_KEY: key,
    };
    const expand = (text: string): string => text.replace(/\$(\w+)/g, (_, name: string) => predefined[name] ?? "");
    const variables = Object.fromEntries(Object.entries(build.variables).map(([name, value]) => [name, expand(value)]));
    const env = { ...predefined, ...variables };
    const home = join(bench.dir, "gitlab");
    mkdirSync(home);
    const script = [...build.before_script, ...build.script].join("\n");
    assertDone(await job(script, env, home));
    await job("dagger prune --all", env, home);
    const second = await job(script, env, home);
    assert.match(second.shown, /CACHED/, "what the first job left in the registry spares the second one steps");
    assert.ok(!second.shown.includes("[cache-import-failed]") && !second.shown.includes("[cache-export-failed]"), second.shown);
    assertDone(second);
  } finally {
    await registry.stop();
  }
});

test("the commands of Compose and of the Kubernetes Job run", async () => {
  const { services } = readPage<Compose>("container.md", "compose.yaml");
  assert.deepEqual(services["buildkit"]?.command, ["--addr", "tcp://0.0.0.0:1234"]);
  const compose = services["dagger"];
  assert.ok(compose && "SEAL_KEY" in compose.environment, "the secret is handed on");
  const command = words(compose.command).replaceAll("=/cache", `=${join(bench.dir, "layers")}`);
  assertDone(await job(command, { ...compose.environment, SEAL_KEY: key }));

  const { initContainers, containers } = readPage<{ spec: { template: { spec: Pod } } }>("container.md", "job.yaml").spec.template.spec;
  assert.deepEqual(initContainers[0]?.args.slice(0, 2), ["--addr", "tcp://127.0.0.1:1234"]);
  const env = Object.fromEntries((containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? key]));
  assert.equal(env["SEAL_KEY"], key);
  assertDone(await job(words(containers[0]?.command ?? []), env));
});
