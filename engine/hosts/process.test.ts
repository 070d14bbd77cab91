// Processes of this machine, each with all that it started.
import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { type Command, type Ended, runCommand } from "./process.ts";

interface Ran extends Ended {
  readonly out: string;
  readonly err: string;
}

async function run(script: string, more: Partial<Command> = {}): Promise<Ran> {
  const told = { 1: "", 2: "" };
  const ended = await runCommand({
    args: ["sh", "-c", script],
    env: { PATH: process.env["PATH"] ?? "" },
    cwd: "/",
    signal: new AbortController().signal,
    ...more,
    onOutput: (stream, data) => {
      told[stream] += Buffer.from(data).toString();
      more.onOutput?.(stream, data);
    },
  });
  return { ...ended, out: told[1], err: told[2] };
}

/** A zombie has no program any more. */
function runs(pid: string): boolean {
  try {
    readlinkSync(`/proc/${pid.trim()}/exe`);
    return true;
  } catch {
    return false;
  }
}

test("a process has its arguments, input, directory and no more than its environment", async () => {
  const ran = await run('cat; pwd; echo "$A-$HOME" >&2; exit 3', { stdin: "given\n", cwd: "/tmp", env: { A: "1", PATH: "/usr/bin:/bin" } });
  assert.deepEqual(ran, { code: 3, timedOut: false, out: "given\n/tmp\n", err: "1-\n" });
});

test("a program that is not there ends as in a shell, with the reason", async () => {
  const ended = await run("", { args: ["no-such-program"] });
  assert.deepEqual([ended.code, ended.error], [127, "there is no program no-such-program on this machine's PATH"]);
  assert.equal((await run("", { args: ["/etc/passwd"] })).code, 126);
});

test("a signal that ends a process is its exit code", async () => {
  assert.equal((await run("kill -KILL $$")).code, 137);
});

test("an abort ends the whole tree, also what does not listen to SIGTERM", async () => {
  const stop = new AbortController();
  const script = "sleep 1000 & echo $!; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' & wait";
  let pids = "";
  const ran = await run(script, {
    signal: stop.signal,
    grace: 200,
    onOutput: (_, data) => {
      pids += Buffer.from(data).toString();
      if (pids.trim().split("\n").length === 2) stop.abort();
    },
  });
  assert.notEqual(ran.code, 0);
  assert.deepEqual(ran.out.trim().split("\n").map(runs), [false, false]);
});

test("what a process leaves running ends with it", async () => {
  const ran = await run("sleep 1000 & echo $!");
  assert.equal(ran.code, 0);
  assert.equal(runs(ran.out), false);
});

test("a time limit ends the tree with exit code 124", async () => {
  const ran = await run("sleep 1000 & echo $!; wait", { timeout: 1000 });
  assert.deepEqual([ran.code, ran.timedOut, runs(ran.out)], [124, true, false]);
});

test("nothing is started once it is over", async () => {
  const stop = new AbortController();
  stop.abort();
  assert.deepEqual(await run("echo no", { signal: stop.signal }), { code: 130, timedOut: false, out: "", err: "" });
});
