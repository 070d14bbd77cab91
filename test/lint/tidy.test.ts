// Shows that the tidy check finds what it is for, and leaves good files alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, longest } from "./tidy.ts";

test("a file that tells its job, is short and names no machine has no findings", () => {
  assert.deepEqual(findings("engine/up.ts", "// The story of a run.\nexport const dir = '/usr/local/bin';\n"), []);
});

test("a source file without a first comment is found", () => {
  assert.deepEqual(findings("engine/up.ts", "export {};\n"), [
    "engine/up.ts:1: the first line must be a comment that tells the file's job",
  ]);
  assert.equal(findings("tools/x.go", "package main\n").length, 1);
  assert.equal(findings("Makefile", "all:\n").length, 1);
});

test("a script's comment comes after its interpreter line", () => {
  assert.deepEqual(findings("proto/generate.sh", "#!/bin/sh\n# Generates the protocol code.\n"), []);
  assert.equal(findings("proto/generate.sh", "#!/bin/sh\nset -e\n").length, 1);
});

test("a file past the limit is found, and one on the limit is not", () => {
  assert.deepEqual(findings("a.ts", "// A.\n".repeat(longest)), []);
  assert.equal(findings("a.ts", "// A.\n".repeat(longest + 1)).length, 1);
});

test("paths of one machine and hosts of package registries are found in any file", () => {
  const machine = ["", "work", "main", "x"].join("/");
  const host = ["registry", "npmjs", "org"].join(".");
  assert.deepEqual(findings("README.md", `see ${machine}\n`), ["README.md:1: names a path of one machine"]);
  assert.deepEqual(findings("package-lock.json", `"${host}"\n`), ["package-lock.json:1: names the host of a package registry"]);
  assert.deepEqual(findings("a.md", "image: docker.io/library/debian:bookworm, $HOME/project, /root/.cache\n"), []);
});
