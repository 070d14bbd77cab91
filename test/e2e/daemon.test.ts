// dagger daemon with real processes: one watch for each config, what is said of it, how it ends, and what a crash leaves.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackgroundStatus } from "../../engine/index.ts";
import { type Bench, startBench, untilIdle } from "./dagger.ts";

/** Milliseconds until something that does not come has not come. */
const late = 120_000;

let bench: Bench;
const started = new Set<number>();

before(async () => {
  bench = await startBench({ daemonHistory: true });
});
after(async () => {
  for (const pid of started) if (isThere(pid)) process.kill(pid, "SIGKILL");
  await bench?.end();
});

function isThere(pid: number): boolean {
  try {
    // A process that was killed is a zombie as long as nobody has asked for its end.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function config(name: string, text: string): string {
  const dir = join(bench.dir, name);
  mkdirSync(join(dir, "src"), { recursive: true });
  writeFileSync(join(dir, "src/a.txt"), "one");
  writeFileSync(join(dir, "up.cue"), `package up\n\n${text}`);
  return dir;
}

const simple = `a: {string, #up: [{do: "local", dir: "src"}, {do: "export", source: "/a.txt"}]}\n`;

async function start(dir: string, ...flags: readonly string[]): Promise<BackgroundStatus> {
  const { code, stdout, stderr } = await bench.dagger(["daemon", "start", dir, "--poll", "0", "--output", "json", ...flags]);
  assert.equal(code, 0, stderr);
  const status = JSON.parse(stdout) as BackgroundStatus;
  started.add(status.pid);
  return status;
}

async function statusOf(dir: string): Promise<BackgroundStatus> {
  const { stdout, stderr } = await bench.dagger(["daemon", "status", dir, "--output", "json"]);
  const [status] = JSON.parse(stdout) as BackgroundStatus[];
  assert.ok(status !== undefined, stderr);
  return status;
}

async function until(dir: string, is: (status: BackgroundStatus) => boolean): Promise<BackgroundStatus> {
  const end = Date.now() + late;
  for (;;) {
    const status = await statusOf(dir);
    if (is(status)) return status;
    assert.ok(Date.now() < end, JSON.stringify(status));
    await sleep(100);
  }
}

test("a watch goes on without its command, follows changes, is there once, and ends when it is stopped", async () => {
  const dir = config("simple", simple);
  const { pid, of } = await start(dir);
  assert.equal(of, dir);
  const first = await until(dir, ({ state }) => state === "waiting");
  assert.deepEqual([first.pid, first.last?.outcome, first.run], [pid, "done", 1]);

  const second = await bench.dagger(["daemon", "start", dir]);
  assert.equal(second.code, 2);
  assert.match(second.stderr, new RegExp(`error\\[daemon-runs\\]: A watch of .*simple goes on already \\(pid ${pid}\\)`));

  writeFileSync(join(dir, "src/a.txt"), "two");
  await until(dir, ({ state, run }) => state === "waiting" && run >= 2);
  const logs = await bench.dagger(["daemon", "logs", dir]);
  assert.match(logs.stdout, /^a: one$/m);
  assert.match(logs.stdout, /changed: .*src\/a\.txt; all components run\n[\s\S]*^a: two$/m);
  assert.match((await bench.dagger(["daemon", "status"])).stdout, /^\S*simple +waiting +pid \d+ +since \S+ \S+ +run \d+ done/m);

  const stopped = await bench.dagger(["daemon", "stop", dir]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.match(stopped.stdout, /simple is no longer watched/);
  assert.ok(!isThere(pid));
  assert.equal((await statusOf(dir)).state, "ended");
  assert.match((await bench.dagger(["daemon", "stop", dir])).stdout, /Nothing is watched/);
});

test("a watch that is killed has crashed, and another one can be started", async () => {
  const dir = config("killed", simple);
  const { pid } = await start(dir);
  await until(dir, ({ state }) => state === "waiting");
  process.kill(pid, "SIGKILL");
  assert.equal((await until(dir, ({ state }) => state !== "waiting")).state, "crashed");
  assert.match((await bench.dagger(["daemon", "stop", dir])).stdout, /Nothing is watched/);
  const again = await start(dir);
  assert.notEqual(again.pid, pid);
  await until(dir, ({ state }) => state === "waiting");
  assert.equal((await bench.dagger(["daemon", "stop", dir])).code, 0);
});

test("stopping cancels the run that goes on, on the daemon too", async () => {
  const dir = config(
    "long",
    `a: #up: [{do: "fetch-container", ref: "busybox:latest"}, {do: "exec", args: ["sh", "-c", "echo begun; sleep 1000"], always: true}]\n`,
  );
  const { pid } = await start(dir);
  const end = Date.now() + late;
  while (!/ begun$/m.test((await bench.dagger(["daemon", "logs", dir])).stdout)) {
    assert.ok(Date.now() < end, "the step has not begun");
    await sleep(100);
  }
  assert.equal((await bench.dagger(["daemon", "stop", dir])).code, 0);
  assert.ok(!isThere(pid));
  await untilIdle(bench.daemon);
});

test("a watch that cannot go on says why; a directory that none was started for has none", async () => {
  const dir = config("lonely", simple);
  const { code, stderr } = await bench.dagger(["daemon", "start", dir], { BUILDKIT_HOST: `unix://${join(bench.dir, "no.sock")}` });
  const status = code === 0 ? await until(dir, ({ state }) => state === "ended") : await statusOf(dir);
  assert.match(`${status.why ?? ""}${stderr}`, /no\.sock/);
  const none = config("none", simple);
  const logs = await bench.dagger(["daemon", "logs", none]);
  assert.equal(logs.code, 2);
  assert.match(logs.stderr, /error\[no-daemon\]: No watch of .*none was started/);
  const wrong = await bench.dagger(["daemon", "start", none, "--poll", "soon"]);
  assert.equal(wrong.code, 2);
});
