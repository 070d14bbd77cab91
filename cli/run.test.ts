// The command line: help, mistakes and exit codes, without a daemon; and the process around it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { type MemoryIo, memoryIo } from "../test/support/memory-io.ts";
import { toFailure } from "./failure.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { pathOf } from "./program/command.ts";
import { createProgram } from "./program/program.ts";
import { run } from "./run.ts";

const never = new AbortController().signal;

async function dagger(argv: readonly string[], io: MemoryIo = memoryIo()): Promise<{ code: number; stdout: string; stderr: string }> {
  const code = await run(argv, io, never);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

function commands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commands)];
}

test("every command has help with an example, on stdout, and --debug", async () => {
  for (const command of commands(createProgram({ io: memoryIo(), signal: never }))) {
    const words = pathOf(command).split(" ").slice(1);
    const { code, stdout, stderr } = await dagger([...words, "--help"]);
    assert.equal(code, 0, words.join(" "));
    assert.equal(stderr, "");
    assert.match(stdout, /^Usage: dagger/);
    assert.match(stdout, /Examples:\n {2}\$ /);
    if (words.length > 0) assert.match(stdout, /--debug/);
  }
});

test("help of a command is found both ways", async () => {
  assert.equal((await dagger(["help", "up"])).stdout, (await dagger(["up", "--help"])).stdout);
});

test("no command, and a group without one, shows help on stderr and is a mistake", async () => {
  for (const argv of [[], ["image"], ["engine"]]) {
    const { code, stdout, stderr } = await dagger(argv);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^Usage: dagger/);
  }
});

test("mistakes on the command line name the nearest spelling and exit with 2", async () => {
  for (const [argv, code, hint] of [
    [["upp"], "unknown-command", "Did you mean up?"],
    [["image", "improt"], "unknown-command", "Did you mean import?"],
    [["xyzzy"], "unknown-command", "Run `dagger --help` to see what it takes"],
    [["up", "--progres", "tty"], "unknown-flag", "Did you mean --progress?"],
    [["up", "--progress", "loud"], "bad-flag-value", "Run `dagger up --help` to see what it takes"],
    [["up", "--output", "xml"], "bad-flag-value", "Run `dagger up --help` to see what it takes"],
    [["up", "-t"], "missing-flag-value", "Run `dagger up --help` to see what it takes"],
    [["up", "a", "b"], "too-many-arguments", "Run `dagger up --help` to see what it takes"],
    [["image", "import", "x"], "missing-argument", "Run `dagger image import --help` to see what it takes"],
    [["image", "rm"], "missing-argument", "Run `dagger image rm --help` to see what it takes"],
    [["image", "import", "x", "y", "--env", "A"], "bad-flag-value", "Write for example: --env LANG=C.UTF-8"],
    [["image", "import", "x", "y", "--platform", "linux"], "bad-flag-value", "Write for example: --platform linux/arm64"],
    [["completion", "ksh"], "bad-flag-value", "Run `dagger completion --help` to see what it takes"],
  ] as const) {
    const result = await dagger(argv);
    assert.equal(result.code, 2, argv.join(" "));
    assert.equal(result.stdout, "");
    assert.match(result.stderr, new RegExp(`^error\\[${code}\\]: `));
    assert.ok(result.stderr.includes(`hint: ${hint}\n`), result.stderr);
    assert.doesNotMatch(result.stderr, /\n {4}at /);
  }
});

test("with --output json a mistake is a document on stdout too, with --output yaml as YAML", async () => {
  const { code, stdout } = await dagger(["up", "--outptu", "--output", "json"]);
  assert.equal(code, 2);
  const failure = JSON.parse(stdout) as { exit: number; diagnostics: { code: string; hint: string }[] };
  assert.equal(failure.exit, 2);
  assert.equal(failure.diagnostics[0]?.code, "unknown-flag");
  assert.match((await dagger(["up", "--outptu", "--output=yaml"])).stdout, /^exit: 2\ndiagnostics:\n/);
});

test("with JSON progress a mistake is a JSON line on stderr", async () => {
  const { code, stdout, stderr } = await dagger(["up", "--progress", "json", "--nope"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  const line = JSON.parse(stderr) as { type: string; exit: number; diagnostics: { code: string }[] };
  assert.deepEqual([line.type, line.exit, line.diagnostics[0]?.code], ["error", 2, "unknown-flag"]);
});

test("a progress mode in the environment that does not exist is a mistake", async () => {
  const { code, stderr } = await dagger(["up"], memoryIo({ env: { DAGGER_PROGRESS: "loud" } }));
  assert.equal(code, 2);
  assert.match(stderr, /^error\[bad-progress\].*\n.*auto, tty, plain, json, rawjson, quiet/);
});

test("a binary Definition is not written to a terminal", async () => {
  const { code, stderr } = await dagger(["llb", "--format", "raw"], memoryIo({ tty: true, env: { NO_COLOR: "1" } }));
  assert.equal(code, 2);
  assert.match(stderr, /^error\[binary-to-terminal\]/);
});

test("anything that is no UserError is a bug: exit 1, one message", () => {
  const failure = toFailure(new TypeError("x is not a function"), false);
  assert.equal(failure.exit, 1);
  assert.equal(failure.diagnostics[0]?.code, "internal");
  assert.equal(toFailure("text", false).diagnostics[0]?.message, "Internal error: text");
  assert.equal(toFailure(new Error("aborted"), true).exit, 130);
});

test("the first signal asks, the second ends", () => {
  const events = new EventEmitter();
  let killed = 0;
  const interrupt = listenForInterrupt(() => killed++, events);
  assert.equal(interrupt.signal.aborted, false);
  events.emit("SIGINT");
  assert.equal(interrupt.signal.aborted, true);
  assert.equal(killed, 0);
  events.emit("SIGTERM");
  assert.equal(killed, 1);
  interrupt.dispose();
  assert.equal(events.listenerCount("SIGINT"), 0);
});

const main = join(import.meta.dirname, "main.ts");
const node = (argv: readonly string[]) => [...["--import", "tsx", main], ...argv];

test("bash completes commands, flags and their values", () => {
  const dir = mkdtempSync(join(tmpdir(), "dagger-completion-"));
  try {
    const script = spawnSync(process.execPath, node(["completion", "bash"]), { encoding: "utf8" }).stdout;
    writeFileSync(join(dir, "dagger.bash"), script);
    writeFileSync(join(dir, "file.cue"), "");
    const complete = (...words: string[]) => {
      const line = words.map((word) => `'${word}'`).join(" ");
      const asked = `source ./dagger.bash; COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _dagger; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", asked], { cwd: dir, encoding: "utf8" });
      assert.equal(stderr, "");
      return stdout.trim().split("\n");
    };
    assert.deepEqual(complete("dagger", "com"), ["compute", "completion"]);
    assert.deepEqual(complete("dagger", "image", "i"), ["import"]);
    assert.deepEqual(complete("dagger", "up", "--pro"), ["--progress"]);
    assert.deepEqual(complete("dagger", "up", "--progress", "t"), ["tty"]);
    assert.deepEqual(complete("dagger", "graph", "-t", "app", "--format", "d"), ["dot"]);
    assert.deepEqual(complete("dagger", "completion", ""), ["bash", "zsh", "fish", "--debug", "--help", "-h", "dagger.bash", "file.cue"]);
    assert.deepEqual(complete("dagger", "up", "f"), ["file.cue"]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
