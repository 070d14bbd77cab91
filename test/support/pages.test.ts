// Pages are read as they are meant, and a page that shows something else is found out.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isAsShown, readBlocks, readCommands } from "./pages.ts";

const dir = mkdtempSync(join(tmpdir(), "pages-"));
after(() => rmSync(dir, { recursive: true, force: true }));

test("blocks have their language, line and file, commands their output", () => {
  const page = join(dir, "page.md");
  writeFileSync(
    page,
    "# A\n\nThis is `ci/a.cue`:\n\n```cue\na: 1\n```\n\nRun it:\n\n```console\n$ one \\\n  two\nout\n\nmore\n$ three\n```\n",
  );
  const [file, shown] = readBlocks(page);
  assert.deepEqual(file, { language: "cue", file: "ci/a.cue", text: "a: 1\n", line: 6 });
  assert.equal(shown?.file, undefined);
  assert.deepEqual(shown && readCommands(shown), [
    { command: "one \\\n  two", output: "out\n\nmore", line: 12 },
    { command: "three", output: "", line: 17 },
  ]);
  writeFileSync(page, "```cue\na: 1\n");
  assert.throws(() => readBlocks(page), /page\.md:1: a block is never closed/);
});

test("what a page shows is what is printed, but for what it leaves out and durations", () => {
  assert.ok(isAsShown("a (b)\n…\nsaved /…/x in 0.1s", "a (b)\n1\n2\nsaved /tmp/x in 12ms\n"));
  assert.ok(isAsShown("a\n…\nb", "a\nb"));
  for (const [wanted, shown] of [
    ["a", "b"],
    ["a", "a\nb"],
    ["a.c", "abc"],
    ["a…c", "a\nc"],
    ["a\n…\nc", "a\nb\nd"],
    ["3 files", "4 files"],
  ] as const)
    assert.equal(isAsShown(wanted, shown), false, `${wanted} is not ${shown}`);
});
