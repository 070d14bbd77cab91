// @embed: files of every kind, patterns, and what must not be embedded. test/cue-oracle compares with CUE's own loader.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Evaluator } from "./evaluate.ts";
import { load, newEvaluator, places, refused } from "./testing.ts";

let evaluator: Evaluator;
before(async () => {
  evaluator = await newEvaluator();
});
after(() => evaluator.close());

const module = { "cue.mod/module.cue": 'module: "example.com/m@v0"\nlanguage: version: "v0.9.0"' };
const data = {
  "d/a.json": '{"a": 1}',
  "d/b.json": "2",
  "d/c.yaml": "k: v",
  "d/t.toml": "x = 1",
  "d/t.txt": "text",
  "d/bin": Buffer.from([0, 255]),
};
const embedding = (body: string) => ({ ...module, ...data, "a.cue": `@extern(embed)\n\npackage x\n\n${body}` });
const json = async (files: Record<string, string | Buffer>) => (await load(evaluator, files)).exportJson();

test("files are embedded by their kind, or as the type that is given", async () => {
  const body = [
    "a: _ @embed(file=d/a.json)",
    "c: _ @embed(file=d/c.yaml)",
    "t: _ @embed(file=d/t.toml)",
    "text: string @embed(file=d/t.txt)",
    "raw: string @embed(file=d/a.json, type=text)",
    "bytes: _ @embed(file=d/bin, type=binary)",
    "sum: a.a + 1",
  ].join("\n");
  const expected = { a: { a: 1 }, c: { k: "v" }, t: { x: 1 }, text: "text", raw: '{"a": 1}', bytes: "AP8=", sum: 2 };
  assert.deepEqual(await json(embedding(body)), expected);
});

test("a pattern embeds a struct of files; a JSON schema becomes a constraint", async () => {
  const files = {
    ...embedding(
      "all: _ @embed(glob=d/*.json)\nnone: _ @embed(glob=d/*.xyz, allowEmptyGlob, type=text)\n#S: _ @embed(file=s.json, type=jsonschema)\ns: #S & {p: 5}",
    ),
    "s.json": '{"type": "object", "properties": {"p": {"type": "integer"}}}',
  };
  assert.deepEqual(await json(files), { all: { "d/a.json": { a: 1 }, "d/b.json": 2 }, none: {}, s: { p: 5 } });
});

test("imported packages embed what lies beside them", async () => {
  const files = {
    ...module,
    "a.cue": 'package x\nimport "example.com/m/lib"\na: lib.j',
    "lib/l.cue": "@extern(embed)\n\npackage lib\nj: _ @embed(file=l.json)",
    "lib/l.json": "[1]",
  };
  assert.deepEqual(await json(files), { a: [1] });
});

for (const [title, attribute, message, more] of [
  ["that is not there", "file=d/none.json", /there is no file "d\/none\.json" beside this file/i],
  ["in a parent directory", 'file="../a.json"', /is in a parent directory/i],
  ["by its absolute path", "file=/etc/hostname, type=text", /is absolute/i],
  ["by a path with detours", "file=./d/a.json", /is to be written as "d\/a\.json"/i],
  ["that is a directory", "file=d, type=text", /is a directory/i],
  ["of an unknown kind", "file=d/bin", /cannot tell the kind of "d\/bin"/i],
  ["of another module", "file=n/a.json", /is in another module/i, { "n/cue.mod/module.cue": "", "n/a.json": "1" }],
  ["by a pattern that nothing matches", "glob=d/*.xml, type=text", /no file matches "d\/\*\.xml"/i],
  ["by a pattern that leaves the kind open", "glob=d/*", /leaves the kind of the files open/i],
  ["by path and pattern", "file=d/a.json, glob=d/*.json", /not both/i],
  ["that holds several values", "file=m.yaml", /holds more than one value/i, { "m.yaml": "a: 1\n---\nb: 2" }],
  ["by nothing", "", /needs file=PATH or glob=PATTERN/i],
] as const) {
  test(`a file ${title} is refused at its @embed`, async () => {
    const [found] = await refused(load(evaluator, { ...embedding(`x: _ @embed(${attribute})`), ...more }));
    assert.equal(found?.code, "cue-embed");
    assert.match(found?.message ?? "", message);
    assert.deepEqual(places(found?.at ?? []).slice(0, 1), ["a.cue:5:6"]);
    assert.ok(found?.hint);
  });
}

test("a broken embedded file is told with its own place", async () => {
  const [found] = await refused(load(evaluator, { ...embedding("x: _ @embed(file=bad.json)"), "bad.json": '{"a": }' }));
  assert.ok(
    places(found?.at ?? []).some((place) => place.startsWith("bad.json:1")),
    JSON.stringify(found),
  );
});

test("without a module, nothing is embedded, and without @extern the attribute means nothing", async () => {
  const bare = { ...data, "a.cue": "@extern(embed)\n\npackage x\nx: _ @embed(file=d/a.json)" };
  const [found] = await refused(load(evaluator, bare));
  assert.match(found?.message ?? "", /not in a module/i);
  assert.deepEqual(await json({ ...module, "a.cue": "package x\nx: 1 @embed(file=d/none.json)" }), { x: 1 });
});
