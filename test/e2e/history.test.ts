// History on a real daemon: killed runs, two runs of one environment, runs that are superseded, logs that are followed.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordedRun } from "../../engine/index.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;
before(async () => {
  bench = await startBench();
  mkdirSync(join(bench.dir, "ci"));
  // Each run says its word, and goes on until the other side of the cache mount says that it may end.
  writeFileSync(
    join(bench.dir, "ci/ci.cue"),
    `package ci
word: string
seconds: *0 | int
app: {string, #up: [
	{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
	{do: "exec", args: ["sh", "-c", "echo begins \\(word); sleep \\(seconds); echo ends \\(word); printf '\\(word)' > /v"], always: true},
	{do: "export", source: "/v", format: "string"},
]}
`,
  );
  await ok("init");
  await ok("stack", "new", "web", "--dir", "ci", "--env", "dev", "--env", "prod");
});
after(() => bench.end());

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await bench.dagger(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

const runs = async (env: string): Promise<RecordedRun[]> =>
  JSON.parse(await ok("history", "list", "-s", "web", "-e", env, "--output", "json")) as RecordedRun[];

interface Started {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly exit: Promise<number | null>;
  until(pattern: RegExp): Promise<void>;
}

/** `dagger` in the background. */
function start(...args: readonly string[]): Started {
  const env = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), NO_COLOR: "1" };
  const all = { ...env, BUILDKIT_HOST: bench.daemon.address };
  const child = spawn(join(repository, "bin/dagger"), args, { cwd: bench.dir, env: all, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (text += data.toString()));
  const exit = once(child, "close").then(([code]) => code as number | null);
  const until = async (pattern: RegExp): Promise<void> => {
    for (let tries = 0; !pattern.test(text); tries++) {
      assert.ok(tries < 600 && child.exitCode === null, `waited in vain for ${String(pattern)} in:\n${text}`);
      await sleep(50);
    }
  };
  return { child, stderr: () => text, exit, until };
}

const up = (env: string, word: string, seconds: number, ...more: readonly string[]): Started =>
  start("up", "-s", "web", "-e", env, "-i", `word=${word}`, "-i", `seconds=${seconds}`, "--progress", "plain", ...more);

test("the id of a run is told when it begins, and the history tells of it while it runs; a quiet one says nothing", async () => {
  const running = up("prod", "long", 1000);
  await running.until(/begins long/);
  const id = /^run (\w{18}): dagger history show \1$/m.exec(running.stderr())?.[1] ?? "";
  assert.ok(running.stderr().indexOf(id) < running.stderr().indexOf("#1 "), running.stderr());
  assert.match(await ok("history", "show", id), /running/);
  running.child.kill("SIGINT");
  assert.equal(await running.exit, 130);
  const told = await bench.dagger(["up", "-s", "web", "-e", "prod", "-i", "word=short", "--progress", "json"]);
  const events = told.stderr.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { type: string; run?: string }]));
  const [last] = await runs("prod");
  assert.deepEqual(
    events.filter(({ type }) => type === "recorded").map(({ run }) => run),
    [last?.id],
  );
  const types = events.map(({ type }) => type);
  assert.ok(types.indexOf("recorded") < types.indexOf("step"));
  assert.equal((await bench.dagger(["up", "-s", "web", "-e", "prod", "-i", "word=short", "--progress", "quiet"])).stderr, "");
});

test("a run whose process was killed is interrupted, with the logs that it wrote, and the next run goes on", async () => {
  const killed = up("dev", "killed", 60);
  await killed.until(/begins killed/);
  // Batches are written a few times a second.
  const [running] = await runs("dev");
  assert.equal(running?.state, "running");
  while (!(await ok("history", "logs", running.id)).includes("begins killed")) await sleep(50);
  killed.child.kill("SIGKILL");
  await killed.exit;
  assert.equal(await up("dev", "next", 0).exit, 0);
  const [next, before] = await runs("dev");
  assert.equal(next?.state, "done");
  assert.deepEqual([before?.id, before?.state, before?.reason], [running.id, "interrupted", "killed"]);
  assert.match(await ok("history", "logs", running.id), /^\[app\] begins killed$/m);
  assert.equal(await ok("output", "get", "app", "-s", "web", "-e", "dev"), "next\n");
});

test("two runs of one environment queue; another environment does not wait", async () => {
  const first = up("dev", "first", 4);
  await first.until(/begins first/);
  const second = up("dev", "second", 0);
  await second.until(/Waiting for the run \w{18} of this environment \(pid \d+ on /);
  assert.equal(await up("prod", "other", 0).exit, 0);
  assert.equal(await first.exit, 0);
  assert.equal(await second.exit, 0);
  const [late, early] = await runs("dev");
  assert.ok((early?.ended ?? Infinity) <= (late?.started ?? 0));
  assert.equal(await ok("query", "app", "-s", "web", "-e", "dev", "--output", "text"), "second\n");
});

test("--supersede cancels the run that has the environment; it says so, and is over on the daemon", async () => {
  const old = up("dev", "old", 60);
  await old.until(/begins old/);
  const newer = up("dev", "newer", 0, "--supersede");
  assert.equal(await newer.exit, 0, newer.stderr());
  assert.equal(await old.exit, 1);
  assert.match(old.stderr(), /error\[run-superseded\]: A newer run took the place of this one/);
  const [last, before] = await runs("dev");
  assert.equal(last?.state, "done");
  assert.deepEqual([before?.state, before?.reason], ["cancelled", "superseded"]);
});

test("logs are followed while a run goes on, until it is over", async () => {
  const running = up("dev", "followed", 3);
  await running.until(/begins followed/);
  const follower = start("history", "logs", "latest", "--follow");
  await follower.until(/begins followed/);
  assert.equal(await follower.exit, 0);
  assert.match(follower.stderr(), /\[app\] ends followed/);
  assert.equal(await running.exit, 0);
});

test("a run that is interrupted while it waits leaves the queue", async () => {
  const first = up("dev", "first", 4);
  await first.until(/begins first/);
  const second = up("dev", "second", 0);
  await second.until(/Waiting for the run/);
  second.child.kill("SIGINT");
  assert.equal(await second.exit, 130);
  assert.equal(await first.exit, 0);
  const [given, done] = await runs("dev");
  assert.deepEqual([given?.state, done?.state], ["cancelled", "done"]);
});
