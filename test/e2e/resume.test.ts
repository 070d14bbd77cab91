// A run whose process is killed is gone on with: what it had finished is not run again, not even a step that always runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordedRun } from "../../engine/index.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;
let server: Server;
let postgres: TestPostgres;
/** How often each path was asked for. */
const asked = new Map<string, number>();
const count = (path: string): number => asked.get(path) ?? 0;

before(async () => {
  [bench, postgres] = await Promise.all([startBench(), startPostgres()]);
  // Steps tell it that they run; what holds on is answered from the second time on.
  server = createServer(({ url = "" }, response) => {
    asked.set(url, count(url) + 1);
    if (!url.startsWith("/held") || count(url) > 1) response.end(`${url} answered`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await postgres.stop();
  await bench.end();
});

function writeConfig(name: string): void {
  const { port } = server.address() as AddressInfo;
  const get = (path: string, file: string): string =>
    `{do: "exec", args: ["wget", "-q", "-O", "${file}", "http://127.0.0.1:${port}${path}"], network: "host", always: true}`;
  mkdirSync(join(bench.dir, name));
  writeFileSync(
    join(bench.dir, name, "ci.cue"),
    `package ci
_image: {do: "fetch-container", ref: "docker.io/library/busybox:latest"}
first: #up: [_image, ${get(`/first-${name}`, "/first")}]
second: {string, #up: [{do: "load", from: first}, ${get(`/held-${name}`, "/v")}, {do: "export", source: "/v", format: "string"}]}
`,
  );
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 1200, `waited in vain until ${what}`);
    await sleep(50);
  }
}

async function killedAndResumed(name: string, more: Readonly<Record<string, string>>): Promise<void> {
  writeConfig(name);
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await bench.dagger(args, more);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const runs = async (): Promise<RecordedRun[]> =>
    JSON.parse(await ok("history", "list", "-e", `./${name}`, "--output", "json")) as RecordedRun[];
  const env = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), ...more };
  const child = spawn(join(repository, "bin/dagger"), ["up", name], {
    cwd: bench.dir,
    env: { ...env, BUILDKIT_HOST: bench.daemon.address },
    stdio: "ignore",
  });
  const ended = once(child, "close");
  await until("the second component runs", () => count(`/held-${name}`) === 1 || child.exitCode !== null);
  assert.equal(child.exitCode, null, "the run ended by itself");
  await until("the config is written", async () => (await runs())[0]?.config !== undefined);
  child.kill("SIGKILL");
  await ended;

  const resumed = JSON.parse(await ok("history", "resume", "latest", "--output", "json", "--progress", "quiet")) as {
    readonly values: { readonly second: string };
  };
  assert.equal(resumed.values.second, `/held-${name} answered`);
  assert.equal(count(`/first-${name}`), 1, "what was finished ran again");
  assert.equal(count(`/held-${name}`), 2);
  const [again, killed] = await runs();
  assert.deepEqual([again?.state, killed?.state], ["done", "interrupted"]);
  assert.equal(again?.parent, killed?.id);
}

test("a run that was killed is resumed from the store of its workspace", async () => {
  const { code, stderr } = await bench.dagger(["init"]);
  assert.equal(code, 0, stderr);
  await killedAndResumed("file", {});
});

test("a run that was killed is resumed from PostgreSQL", async () => {
  await killedAndResumed("postgres", { DAGGER_STORE: await postgres.database() });
});
