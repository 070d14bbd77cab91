// Reading an instance: which files belong to it, how imports resolve, what is refused.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Evaluator } from "./evaluate.ts";
import { load, newEvaluator, places, refused } from "./testing.ts";

let evaluator: Evaluator;
before(async () => {
  evaluator = await newEvaluator();
});
after(() => evaluator.close());

const json = async (files: Record<string, string | Buffer>, options: Parameters<typeof load>[2] = {}) =>
  (await load(evaluator, files, options)).exportJson();

test("hidden files, underscored ones, tests and tools are no part of a package", async () => {
  const other = "package x\nb: 2";
  const files = { "a.cue": "package x\na: 1", ".b.cue": other, "_b.cue": other, "b_test.cue": other, "b_tool.cue": other, "b.txt": other };
  assert.deepEqual(await json(files), { a: 1 });
});

test("all files of a package make up the instance, with those of parents up to the module", async () => {
  const files = {
    "a.cue": "package other\nz: 1",
    "m/cue.mod/module.cue": 'module: "example.com/m"\nlanguage: version: "v0.9.0"',
    "m/a.cue": "package x\na: 1",
    "m/broken.cue": "package y\n{{{",
    "m/d/b.cue": "package x\nb: 2",
    "m/d/c.cue": "package x\nc: a + b",
  };
  assert.deepEqual(await json(files, { at: "m/d" }), { b: 2, c: 3, a: 1 });
});

test("without a module, parents do not count", async () => {
  assert.deepEqual(await json({ "a.cue": "package x\na: 1", "d/b.cue": "package x\nb: 2" }, { at: "d" }), { b: 2 });
});

test("one file can be an instance, and files need no package clause", async () => {
  assert.deepEqual(await json({ "a.cue": "package x\na: 1", "b.cue": "package y\nb: 2" }, { at: "b.cue" }), { b: 2 });
  assert.deepEqual(await json({ "a.cue": "a: 1", "b.cue": "b: 2" }), { a: 1, b: 2 });
});

test("several packages in one directory are refused by name", async () => {
  const [found] = await refused(load(evaluator, { "a.cue": "package x", "b.cue": "package y" }));
  assert.equal(found?.code, "cue-package");
  assert.match(found?.message ?? "", /^Found packages x \(a\.cue\) and y \(b\.cue\) in /);
});

test("@if asks for tags, @ignore leaves a file out", async () => {
  const files = {
    "a.cue": "package x\na: 1",
    "b.cue": "@if(prod && !(debug || slow))\n\npackage x\nb: 2",
    "c.cue": "@ignore()\n\npackage y\n",
  };
  assert.deepEqual(await json(files), { a: 1 });
  assert.deepEqual(await json(files, { tags: ["prod"] }), { a: 1, b: 2 });
  assert.deepEqual(await json(files, { tags: ["prod", "slow"] }), { a: 1 });
  const [found] = await refused(load(evaluator, "@if(1)\n\npackage x"));
  assert.equal(found?.code, "cue-syntax");
});

const moduleFile = { "cue.mod/module.cue": 'module: "example.com/m@v0"\nlanguage: version: "v0.9.0"' };

test("imports come from the module, from cue.mod/pkg and from the library", async () => {
  const files = {
    ...moduleFile,
    "a.cue":
      'package x\nimport (\n\t"example.com/m/sub"\n\t"other.org/v:name"\n\t"cuellb.dev/lib"\n\t"strings"\n)\na: sub.a, b: name.b, c: lib.c, d: strings.ToUpper("d")',
    "sub/s.cue": 'package sub\nimport "cuellb.dev/lib"\na: lib.c + 1',
    "cue.mod/pkg/other.org/v/v.cue": "package name\nb: 2",
    "library/lib/lib.cue": "package lib\nc: 3",
  };
  assert.deepEqual(await json(files), { a: 4, b: 2, c: 3, d: "D" });
});

test("a vendored copy wins over the library", async () => {
  const files = {
    ...moduleFile,
    "a.cue": 'package x\nimport "cuellb.dev/lib"\nc: lib.c',
    "cue.mod/pkg/cuellb.dev/lib/lib.cue": 'package lib\nc: "vendored"',
    "library/lib/lib.cue": 'package lib\nc: "library"',
  };
  assert.deepEqual(await json(files), { c: "vendored" });
});

test("cue.mod/pkg, gen and usr are merged", async () => {
  const at = (kind: string) => `cue.mod/${kind}/k8s.io/api/a.cue`;
  const files = {
    ...moduleFile,
    "a.cue": 'package x\nimport "k8s.io/api"\na: api.a, b: api.b',
    [at("gen")]: "package api\na: 1",
    [at("usr")]: "package api\nb: 2",
  };
  assert.deepEqual(await json(files), { a: 1, b: 2 });
});

test("every import that leads nowhere is reported, with its place and what to do", async () => {
  const found = await refused(load(evaluator, 'package x\nimport (\n\t"foo.org/a"\n\t"cuellb.dev/nope"\n)\na: a.x, b: nope.x'));
  assert.deepEqual(
    found.map((d) => [d.code, d.message, ...places(d.at)]),
    [
      ["cue-import", 'Cannot find package "foo.org/a"', "a.cue:3:2"],
      ["cue-import", 'Cannot find package "cuellb.dev/nope"', "a.cue:4:2"],
    ],
  );
  assert.ok(found.every((d) => d.hint));
  const [builtin] = await refused(load(evaluator, 'package x\nimport "nope"\na: nope.x'));
  assert.deepEqual([builtin?.code, ...places(builtin?.at ?? [])], ["cue-import", "a.cue:2:8"]);
});

test("an import of a directory without that package says so", async () => {
  const files = { ...moduleFile, "a.cue": 'package x\nimport "example.com/m/sub"\na: sub.a', "sub/s.cue": "package other" };
  const [found] = await refused(load(evaluator, files));
  assert.equal(found?.message, 'Package "example.com/m/sub" has no files of package sub');
});

test("packages that import each other are refused", async () => {
  const files = {
    ...moduleFile,
    "a.cue": 'package x\nimport "example.com/m/b"\na: b.a',
    "b/b.cue": 'package b\nimport "example.com/m/c"\na: c.a',
    "c/c.cue": 'package c\nimport "example.com/m/b"\na: b.a',
  };
  const [found] = await refused(load(evaluator, files));
  assert.equal(found?.code, "cue-import");
  assert.match(found?.message ?? "", /imports itself, by way of other packages/);
});

test("nothing to read is an error that says what was looked for", async () => {
  for (const [files, at, message] of [
    [{ "a.txt": "" }, ".", /^No CUE files in \.$/],
    [{ "a.cue": "" }, "nowhere", /^nowhere does not exist$/],
    [{ "_a.cue": "" }, ".", /^No CUE files in \.$/],
  ] as const) {
    const [found] = await refused(load(evaluator, files, { at }));
    assert.equal(found?.code, "cue-no-files");
    assert.match(found?.message ?? "", message);
  }
});

test("bytes that are no text are refused", async () => {
  const [found] = await refused(load(evaluator, { "a.cue": Buffer.from([0xff, 0xfe, 0, 1]) }));
  assert.equal(found?.code, "cue-syntax");
  assert.equal((await refused(load(evaluator, "a: 1\0")))[0]?.code, "cue-syntax");
});

test("a broken cue.mod/module.cue is refused at its line", async () => {
  const [found] = await refused(load(evaluator, { "cue.mod/module.cue": 'module: "a.b/c\n', "a.cue": "package x" }));
  assert.deepEqual(places(found?.at ?? []).slice(0, 1), ["cue.mod/module.cue:1:9"]);
});
