// Ignore files are read as docker reads them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readIgnoreFile } from "./dockerignore.ts";

const read = (text: string): string[] => readIgnoreFile(new TextEncoder().encode(text));

test("patterns are trimmed and cleaned, comments and blank lines left out", () => {
  assert.deepEqual(read("\ufeff# comment\n\n  a/./b//c/ \r\n/rooted\n*.log\n"), ["a/b/c", "rooted", "*.log"]);
  assert.deepEqual(read(" # a name that begins with a hash after a space\n"), ["# a name that begins with a hash after a space"]);
});

test("exceptions keep their mark", () => {
  assert.deepEqual(read("*\n! /keep/\n!\n"), ["*", "!keep"]);
});

test("dots are resolved, and the root stays", () => {
  assert.deepEqual(read("a/../b\n./\n/\n../up\n"), ["b", ".", ".", "../up"]);
});
