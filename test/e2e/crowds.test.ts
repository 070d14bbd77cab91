// Many runs at once: two hundred of one program on ten environments, and twenty processes on two. Each gets its turn, nobody is told "locked".
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createEngine } from "../../engine/embedding/index.ts";
import type { RecordedRun } from "../../engine/index.ts";
import { type Bench, startBench } from "./dagger.ts";

const environments = Array.from({ length: 10 }, (_, at) => `e${at}`);
let bench: Bench;
before(async () => {
  bench = await startBench();
  mkdirSync(join(bench.dir, "ci"));
  writeFileSync(
    join(bench.dir, "ci/ci.cue"),
    `package ci

word: *"none" | string
said: {string, #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "exec", args: ["sh", "-c", "echo it runs; if [ \\(word) = held ]; then sleep 600; fi; printf hello > /v"]},
	{do: "export", source: "/v"},
]}
`,
  );
  for (const args of [
    ["init"],
    ["stack", "new", "web", "--dir", "ci", ...[...environments, "p0", "p1"].flatMap((name) => ["--env", name])],
  ]) {
    const { code, stderr } = await bench.dagger(args);
    assert.equal(code, 0, stderr);
  }
});
after(() => bench.end());

test("two hundred runs of one program on ten environments each get their turn, in the order in which they came", async () => {
  const engine = await createEngine({
    env: { PATH: process.env["PATH"], BUILDKIT_HOST: bench.daemon.address, HOME: bench.dir },
    cwd: bench.dir,
    dataDir: bench.dir,
  });
  const submitted = await Promise.all(
    Array.from({ length: 200 }, async (_, at) => engine.submit({ stack: "web", environment: `e${at % 10}` })),
  );
  assert.equal(new Set(submitted.map(({ id }) => id)).size, 200);
  for (const { result } of submitted) assert.deepEqual((await result)?.values, { word: "none", said: "hello" });
  const { runs } = await engine.runs.list({ limit: 1000 });
  assert.deepEqual([runs.length, new Set(runs.map(({ state }) => state))], [200, new Set(["done"])]);
  for (const environment of environments) {
    // By their numbers, oldest first.
    const mine = runs.filter(({ env }) => env === environment).reverse();
    assert.equal(mine.length, 20);
    for (const [at, run] of mine.slice(1).entries())
      assert.ok((mine[at]?.ended ?? Infinity) <= (run.started ?? 0), `${run.id} did not wait`);
  }
  await engine.close();
});

test("twenty processes on two environments each get their turn, and one that supersedes comes next", async () => {
  const held = ["-i", "word=held"];
  const up = (environment: string, ...args: readonly string[]) =>
    bench.dagger(["up", "-s", "web", "-e", environment, "--output", "json", "--progress", "plain", ...args]);
  const list = async (environment: string): Promise<RecordedRun[]> => {
    const { stdout, stderr, code } = await bench.dagger([
      "history",
      "list",
      "-s",
      "web",
      "-e",
      environment,
      "--limit",
      "1000",
      "--output",
      "json",
    ]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as RecordedRun[];
  };
  const ended = await Promise.all(Array.from({ length: 20 }, (_, at) => up(`p${at % 2}`)));
  for (const { code, stderr } of ended) {
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /locked|store-busy/i);
  }
  for (const environment of ["p0", "p1"]) {
    const mine = (await list(environment)).reverse();
    assert.deepEqual([mine.length, new Set(mine.map(({ state }) => state))], [10, new Set(["done"])]);
    const turns = mine.map(({ started = 0, ended = 0 }) => ({ started, ended })).sort((one, other) => one.started - other.started);
    for (const [at, { started }] of turns.slice(1).entries()) assert.ok((turns[at]?.ended ?? Infinity) <= started);
  }

  // One holds the environment until it is cancelled, others wait for it; the newest takes the place of all.
  const holder = up("p0", ...held);
  const until = async (what: string, holds: (runs: readonly RecordedRun[]) => boolean): Promise<void> => {
    for (let tries = 0; !holds(await list("p0")); tries++) {
      assert.ok(tries < 600, `waited in vain until ${what}`);
      await sleep(100);
    }
  };
  await until("one runs", ([newest]) => newest?.state === "running");
  const waiting = Array.from({ length: 8 }, () => up("p0", ...held));
  await until("all wait", (runs) => runs.filter(({ state }) => state === "queued").length === 8);
  const newest = await up("p0", "--supersede");
  assert.equal(newest.code, 0, newest.stderr);
  for (const { code, stderr } of await Promise.all([holder, ...waiting])) {
    assert.equal(code, 1, stderr);
    assert.match(stderr, /error\[run-superseded\]/);
  }
  const [last, ...before] = await list("p0");
  assert.equal(last?.state, "done");
  assert.deepEqual(new Set(before.slice(0, 9).map(({ state, reason }) => `${state} ${reason}`)), new Set(["cancelled superseded"]));
});
