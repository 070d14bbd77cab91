// Processes that a process of their own starts: what they tell, how they are ended, and what happens when it is gone.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
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
async function withMany(use: (processes: Processes) => Promise<void>): Promise<void> {
  const processes = new Processes();
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
