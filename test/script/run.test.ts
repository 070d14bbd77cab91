// Proves that scripts fail when they should: a runner that accepts everything would prove nothing.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { expand, parseScript } from "./parse.ts";
import { runScript } from "./run.ts";

const dir = mkdtempSync(join(tmpdir(), "scripts-"));
after(() => rmSync(dir, { recursive: true, force: true }));
mkdirSync(join(dir, "data"));
const shared = { buildkitHost: "unix:///nowhere", dataDir: join(dir, "data") };

let count = 0;
async function run(text: string, update = false): Promise<string> {
  const file = join(dir, `${++count}.txtar`);
  writeFileSync(file, text);
  await runScript(file, shared, update);
  return readFileSync(file, "utf8");
}

test("words keep what is quoted and look up what is not", () => {
  const [command] = parseScript("! grep -count=2 'it''s $HOME' $HOME/'a b' # why");
  assert.deepEqual(
    { name: command?.name, expect: command?.expect, args: command?.args.map((word) => expand(word, { HOME: "/h" })) },
    { name: "grep", expect: "failure", args: ["-count=2", "it's $HOME", "/h/a b"] },
  );
  assert.throws(() => parseScript("stdout 'x"), /line 1: a quote is never closed/);
  assert.throws(() => parseScript("!"), /line 1: a command is missing/);
});

test("a script whose expectations hold passes", async () => {
  await run(
    [
      "exec sh -c 'echo out; echo err >&2'",
      "stdout '^out$'",
      "! stdout err",
      "stderr err",
      "! exec sh -c 'exit 7'",
      "exit 7",
      "exists a/b.txt",
      "! exists nope",
      "grep -count=2 x a/b.txt",
      "cp a/b.txt c.txt",
      "cmp a/b.txt c.txt",
      "stdin c.txt",
      "exec cat",
      "cmp stdout c.txt",
      "exec sh -c 'echo started; exec sleep 100' &slow&",
      "until slow started",
      "kill SIGKILL slow",
      "exec pwd",
      "cmp stdout pwd.txt",
      "stop",
      "no such command",
      "-- a/b.txt --",
      "x",
      "x",
      "-- pwd.txt --",
      "$WORK",
      "",
    ].join("\n"),
  ).then(
    () => assert.fail("a background process that nobody waited for was not noticed"),
    (error: Error) => assert.match(error.message, /nobody waited for slow/),
  );
});

for (const [what, script, message] of [
  ["a failing command", "exec false", /:1: exec false: failed with exit code 1/],
  ["an unexpected success", "! exec true", /succeeded unexpectedly/],
  ["another exit code", "? exec sh -c 'exit 3'\nexit 4", /:2: exit 4: exit code 3, expected 4/],
  ["missing output", "exec echo a\nstdout b", /no match for b/],
  ["output that must not be", "exec echo a\n! stdout a", /unexpected match for a/],
  ["another count", "exec echo a\nstdout -count=2 a", /1 found/],
  ["a missing file", "exists x", /x does not exist/],
  ["a file that must not be", "! exists x\n-- x --\n", /x exists/],
  ["different files", "cmp x y\n-- x --\n1\n-- y --\n2\n", /x and y differ/],
  ["an unknown command", "frobnicate", /there is no command frobnicate/],
  ["an unset variable", "exec echo $NOPE", /\$NOPE is not set/],
] as const)
  test(`${what} fails the script`, async () => {
    await assert.rejects(run(`${script}${script.endsWith("\n") ? "" : "\n"}`), message);
  });

test("an update rewrites the expected output and nothing else", async () => {
  assert.equal(
    await run("exec echo new\ncmp stdout want\n-- want --\nold\n-- other --\nx\n", true),
    "exec echo new\ncmp stdout want\n-- want --\nnew\n-- other --\nx\n",
  );
});
