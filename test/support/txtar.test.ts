// Shows that a txtar archive survives being read and written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTxtar, parseTxtar } from "./txtar.ts";

test("an archive is a comment and files in order", () => {
  const archive = parseTxtar("# a script\ndagger up\n\n-- b/up.cue --\na: 1\n-- a.txt --\n");
  assert.equal(archive.comment, "# a script\ndagger up\n\n");
  assert.deepEqual(
    [...archive.files],
    [
      ["b/up.cue", "a: 1\n"],
      ["a.txt", ""],
    ],
  );
});

test("what is written is read back the same", () => {
  for (const text of ["", "# x\n", "-- a --\n", "# x\n-- a --\n1\n\n-- b c --\n--- no marker ---\n"])
    assert.equal(formatTxtar(parseTxtar(text)), text);
});

test("a last line without its newline gets one", () => {
  assert.equal(formatTxtar(parseTxtar("-- a --\n1")), "-- a --\n1\n");
});

test("two files of one name are an error", () => {
  assert.throws(() => parseTxtar("-- a --\n-- a --\n"), /two files "a"/);
});
