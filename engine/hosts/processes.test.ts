// Processes that a process of their own starts: what they tell, how they are ended, and what happens when it is gone.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "./process.ts";
import { Processes } from "./processes.ts";

const PATH = process.env["PATH"] ?? "";

function shell(script: string, more: Partial<Command> = {}): Command & { readonly said: () => string } {
  let said = "";
  const onOutput: Command["onOutput"] = (_, data) => {
    said += Buffer.from(data).toString();
  };
  return {
    args: ["sh", "-c", script],
    env: { PATH },
    cwd: tmpdir(),
    signal: new AbortController().signal,
    onOutput,
    ...more,
    said: () => said,
  };
}

/** With a process that starts them. */
async function withMany(use: (processes: Processes) => Promise<void>, atOnce = 40): Promise<void> {
  const processes = new Processes(atOnce);
  processes.prepare(1000);
  try {
    await use(processes);
  } finally {
    processes.close();
  }
}

test("many processes at once give their output and exit codes, each its own", () =>
  withMany(async (processes) => {
    const commands = Array.from({ length: 40 }, (_, index) =>
      shell(`cat; echo ${index} >&2; exit ${index % 3}`, { stdin: `in ${index}: ` }),
    );
    const ended = await Promise.all(commands.map((command) => processes.run(command)));
    assert.deepEqual(
      ended.map(({ code }) => code),
      commands.map((_, index) => index % 3),
    );
    assert.deepEqual(
      commands.map((command) => command.said()),
      commands.map((_, index) => `in ${index}: ${index}\n`),
    );
  }));

test("one that is aborted ends with all that it started, and one that takes too long ends with 124", () =>
  withMany(async (processes) => {
    const abort = new AbortController();
    const command = shell("echo up; sleep 600 & wait", { signal: abort.signal });
    const running = processes.run({
      ...command,
      onOutput: () => abort.abort(),
    });
    assert.equal((await running).code, 143);
    assert.deepEqual(await processes.run(shell("sleep 600", { timeout: 50 })), { code: 124, timedOut: true });
  }));

test("a program that is not there is told, and so is that the process which starts them was killed", () =>
  withMany(async (processes) => {
    const missing = await processes.run({ ...shell(""), args: ["no-such-program"] });
    assert.deepEqual([missing.code, missing.error], [127, "there is no program no-such-program on this machine's PATH"]);
    // $PPID is the process that starts them.
    const lost = await processes.run(shell("kill -KILL $PPID; sleep 600"));
    assert.deepEqual([lost.code, lost.error], [137, "the process that started it is gone"]);
    assert.equal((await processes.run(shell("exit 3"))).code, 3, "then they are started from here");
  }));

test("no more run than may at the same time, however many are asked for", () =>
  withMany(async (processes) => {
    const dir = await mkdtemp(join(tmpdir(), "processes-"));
    try {
      // Whoever finds both places taken fails.
      const script = "mkdir one && trap 'rmdir one' EXIT || { mkdir two && trap 'rmdir two' EXIT; } || exit 9; sleep 0.01";
      const ended = await Promise.all(Array.from({ length: 30 }, () => processes.run(shell(script, { cwd: dir }))));
      assert.deepEqual(new Set(ended.map(({ code }) => code)), new Set([0]));
    } finally {
      await rm(dir, { recursive: true });
    }
  }, 2));

test("what waits for its turn does not start after a failure whose follower ends it", () =>
  withMany(async (processes) => {
    const abort = new AbortController();
    let started = 0;
    const onStarted = (): number => started++;
    const first = processes.run(shell("exit 3", { onStarted })).then(() => abort.abort());
    const others = [1, 2, 3].map(() => processes.run(shell("exit 0", { signal: abort.signal, onStarted })));
    await first;
    assert.deepEqual(
      (await Promise.all(others)).map(({ code }) => code),
      [130, 130, 130],
    );
    assert.equal(started, 1);
    const next = await Promise.all([3, 0, 4].map((code) => processes.run(shell(`exit ${code}`))));
    assert.deepEqual(
      next.map(({ code }) => code),
      [3, 0, 4],
      "where nobody ends them, they go on",
    );
  }, 1));
