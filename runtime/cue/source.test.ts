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
    "m/another.cue": "package y\nz: 2",
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
  assert.match(found?.message ?? "", /^Found packages x \(a\.cue\) and y \(b\.cue\) in /i);
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
  assert.match(found?.message ?? "", /imports itself, by way of other packages/i);
});

test("nothing to read is an error that says what was looked for", async () => {
  for (const [files, at, message] of [
    [{ "a.txt": "" }, ".", /^No CUE files in \.$/i],
    [{ "a.cue": "" }, "nowhere", /^nowhere does not exist$/i],
    [{ "_a.cue": "" }, ".", /^No CUE files in \.$/i],
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

test("as in CUE, a broken file above is refused also when it is of another package, and one of a test in the directory too", async () => {
  for (const broken of ["m/above.cue", "m/d/b_test.cue"]) {
    const files = { "m/cue.mod/module.cue": moduleFile["cue.mod/module.cue"], "m/d/a.cue": "package x\na: 1", [broken]: "package y\n{{{" };
    const [found] = await refused(load(evaluator, files, { at: "m/d" }));
    assert.deepEqual([found?.code, found?.at[0]?.file], ["cue-syntax", broken]);
  }
});

test("fields come in the order of CUE: files above first, then by name", async () => {
  const file = (n: string) => `package x\nall: ${n}: 1`;
  const files = {
    ...moduleFile,
    "z.cue": file("z"),
    "d/b.cue": file("b"),
    "d/a.cue": "package x\nall: a: 1\nkeys: [for k, _ in all {k}]",
  };
  assert.deepEqual(((await json(files, { at: "d" })) as { keys: string[] }).keys, ["z", "a", "b"]);
});

test("a package is there once: beside a vendored copy of it, an import is refused with both places", async () => {
  const files = {
    ...moduleFile,
    "a.cue": 'package x\nimport "example.com/m/sub"\na: sub.a',
    "sub/s.cue": "package sub\na: 1",
    "cue.mod/pkg/example.com/m/sub/s.cue": "package sub\na: 2",
  };
  const [found] = await refused(load(evaluator, files));
  assert.match(found?.message ?? "", /is there more than once: in .*cue\.mod\/pkg.* and in .*\/sub$/i);
  assert.deepEqual(places(found?.at ?? []), ["a.cue:2:8"]);
});

for (const [title, spec, message] of [
  ["relative", "./sub", /is relative: packages are imported by the path of their module$/i],
  ["without a name", "example.com/m/a-b", /does not tell the name of the package/i],
  ["of package _", "example.com/m/sub:_", /names the package _/i],
  ["with a full version", "example.com/m/sub@v0.1.0", /can only contain a major version/i],
  ["with an empty element", "example.com//m", /double slash/i],
  ["of another major version of this module", "example.com/m/sub@v2", /^cannot find package "example\.com\/m\/sub@v2"$/i],
  ["of a nested module", "example.com/m/nested/n", /^cannot find package/i],
] as const) {
  test(`an import path that is ${title} is refused with its place and a next step`, async () => {
    const files = {
      ...moduleFile,
      "a.cue": `package x\nimport s ${JSON.stringify(spec)}\na: s.a`,
      "sub/s.cue": "package sub",
      "nested/cue.mod/module.cue": 'module: "a.b/n"\nlanguage: version: "v0.9.0"',
      "nested/n/n.cue": "package n",
    };
    const [found] = await refused(load(evaluator, files));
    assert.match(found?.message ?? "", message);
    assert.deepEqual([found?.code, ...places(found?.at ?? [])], ["cue-import", "a.cue:2:10"]);
    assert.ok(found?.hint);
  });
}

test("the version of this module may be written", async () => {
  const files = { ...moduleFile, "a.cue": 'package x\nimport "example.com/m/sub@v0"\na: sub.a', "sub/s.cue": "package sub\na: 1" };
  assert.deepEqual(await json(files), { a: 1 });
});

test("@if of imported packages outside of the module knows no tags", async () => {
  const files = {
    ...moduleFile,
    "a.cue": 'package x\nimport (\n\t"example.com/m/sub"\n\t"o.org/v"\n)\na: sub.a, b: v.a',
    "sub/s.cue": "@if(prod)\n\npackage sub\na: 1",
    "cue.mod/pkg/o.org/v/v.cue": "@if(!prod)\n\npackage v\na: 2",
  };
  assert.deepEqual(await json(files, { tags: ["prod"] }), { a: 1, b: 2 });
  const [found] = await refused(load(evaluator, files));
  assert.match(found?.hint ?? "", /@if or @ignore leaves sub\/s\.cue out/i);
});

test("when @if leaves every file out, the tags that it asks for are told", async () => {
  const [found] = await refused(load(evaluator, "@if(prod || test)\n\npackage x"));
  assert.equal(found?.message, "Every CUE file in . is left out");
  assert.match(found?.hint ?? "", /--inject prod or --inject test/i);
});

const local = {
  "cue.mod/module.cue": 'module: "example.com/m"\nlanguage: version: "v0.17.0"\ndeps: "r.org/r@v0": v: "v0.1.0"',
  "cue.mod/local-module.cue": 'deps: "r.org/r@v0": replaceWith: "./other"',
  "a.cue": 'package x\nimport "r.org/r/sub"\na: sub.a',
  "other/cue.mod/module.cue": 'module: "r.org/r@v0"\nlanguage: version: "v0.9.0"',
  "other/sub/s.cue": "package sub\na: 1",
};

test("a directory stands in for a module that cue.mod/local-module.cue replaces", async () => {
  assert.deepEqual(await json(local), { a: 1 });
});

test("a directory that holds another module than the one it replaces is refused", async () => {
  const files = { ...local, "other/cue.mod/module.cue": 'module: "r.org/x@v0"\nlanguage: version: "v0.9.0"' };
  const [found] = await refused(load(evaluator, files));
  assert.equal(found?.code, "cue-module");
  assert.match(found?.message ?? "", /holds the module r\.org\/x@v0$/i);
  assert.equal(found?.at[0]?.file, "cue.mod/local-module.cue");
});

for (const [title, text, message, place] of [
  ["an unknown field", 'module: "a.b/c"\nlanguage: version: "v0.9.0"\nmodul: 1', /no field modul/i, "3:1"],
  ["a version that is none", 'module: "a.b/c"\nlanguage: version: "0.9"', /"0\.9" is not a version/i, "2:11"],
  ["a version newer than this CUE", 'module: "a.b/c"\nlanguage: version: "v99.0.0"', /is newer than the CUE in this program/i, "2:11"],
  ["a path of the wrong type", 'module: 5\nlanguage: version: "v0.9.0"', /module must be a string/i, "1:1"],
  ["a reference", 'module: x\nlanguage: version: "v0.9.0"', /takes literals only/i, "1:9"],
  [
    "replaceWith in module.cue",
    'module: "a.b/c"\nlanguage: version: "v0.17.0"\ndeps: "r.org/r@v0": replaceWith: "./r"',
    /local-module\.cue/,
    "3:21",
  ],
] as const) {
  test(`${title} in cue.mod/module.cue is told with its place`, async () => {
    const [found] = await refused(load(evaluator, { "cue.mod/module.cue": text, "a.cue": "package x" }));
    assert.equal(found?.code, "cue-module");
    assert.match(found?.message ?? "", message);
    assert.deepEqual(places(found?.at ?? []).slice(0, 1), [`cue.mod/module.cue:${place}`]);
  });
}

test("a module file of old CUE, without a language version, still counts", async () => {
  const files = {
    "cue.mod/module.cue": 'module: ""\nother: 1',
    "a.cue": 'package x\nimport "o.org/v"\na: v.a',
    "cue.mod/pkg/o.org/v/v.cue": "package v\na: 2",
  };
  assert.deepEqual(await json(files), { a: 2 });
});

test("cue.mod that is a file, and a target inside of cue.mod, are refused", async () => {
  const [file] = await refused(load(evaluator, { "cue.mod": "", "a.cue": "package x" }));
  assert.equal(file?.code, "cue-module");
  const [inside] = await refused(load(evaluator, { ...moduleFile, "cue.mod/a.cue": "package x" }, { at: "cue.mod" }));
  assert.equal(inside?.code, "cue-module");
});
