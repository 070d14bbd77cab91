// Values out of CUE: kinds, references, sharing, places, fills.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Evaluator } from "./evaluate.ts";
import { at, countValues, load, newEvaluator, places, refused } from "./testing.ts";

let evaluator: Evaluator;
before(async () => {
  evaluator = await newEvaluator();
});
after(() => evaluator.close());

test("scalars of every kind arrive as JavaScript values", async () => {
  const { root } = await load(
    evaluator,
    `package x
a: null, b: true, c: 7, d: 1.5, e: "tab\\t\\"q\\" ü \\u2028", f: '\\xff\\x00', g: 123456789012345678901234567890, h: -3, i: 1e3, j: 7.0`,
  );
  const scalars = [...root.fields.values()].map((f) => [f.value.kind, f.value.scalar]);
  assert.deepEqual(scalars, [
    ["null", null],
    ["bool", true],
    ["int", 7],
    ["number", 1.5],
    ["string", 'tab\t"q" ü \u2028'],
    ["bytes", Buffer.from([255, 0])],
    ["int", 123456789012345678901234567890n],
    ["int", -3],
    ["number", 1000],
    ["number", 7],
  ]);
});

test("fields keep their order and labels as CUE writes them; hidden and optional ones are left out", async () => {
  const { root } = await load(evaluator, `package x\nz: 1, "a-b": 2, _h: 3, #D: 4, o?: 5, a: 6, #up: []`);
  assert.deepEqual([...root.fields.keys()], ["z", '"a-b"', "a", "#up"]);
});

test("a reference leads to the one value it refers to, under the path of its declaration", async () => {
  const { root } = await load(evaluator, `package x\nbase: #up: [{do: "scratch"}]\na: #up: [{from: base}, {from: base}]\n`);
  assert.equal(at(root, "a", "#up", 0, "from"), at(root, "base"));
  assert.equal(at(root, "a", "#up", 1, "from"), at(root, "base"));
  assert.equal(at(root, "a", "#up", 0, "from").path, "base");
  assert.equal(at(root, "a", "#up", 0).fields.get("from")?.path, "a.#up[0].from");
});

test("what only a reference leads to is exported, also from hidden fields and definitions", async () => {
  const { root } = await load(evaluator, `package x\n_h: #up: [1]\n#D: e: #up: [2]\na: #up: [{from: _h}, {from: #D.e}]`);
  assert.equal(at(root, "a", "#up", 0, "from").path, "_h");
  assert.equal(at(root, "a", "#up", 1, "from").path, "#D.e");
});

const diamonds = {
  raw: { head: "", op: (from: string) => `{do: "copy", from: ${from}}` },
  typed: { head: '#Copy: {do: "copy", src: *"/" | string, dest?: string, from!: _}\n', op: (from: string) => `#Copy & {from: ${from}}` },
};

function diamond(form: keyof typeof diamonds, depth: number): string {
  const { head, op } = diamonds[form];
  const level = (i: number) => `a${i}: #up: [${op(`a${i - 1}`)}, ${op(`a${i - 1}`)}]\n`;
  return `package x\n${head}a0: #up: [{do: "scratch"}]\n${Array.from({ length: depth }, (_, i) => level(i + 1)).join("")}`;
}

for (const form of ["raw", "typed"] as const) {
  test(`a ${form} diamond 64 levels deep has as many values as fields are written`, async () => {
    const half = countValues((await load(evaluator, diamond(form, 32))).root);
    const whole = countValues((await load(evaluator, diamond(form, 64))).root);
    const perLevel = (whole - half) / 32;
    assert.ok(perLevel <= 10, `${perLevel} values for each level`);
  });
}

test("a diamond through a component's parameters stays linear", async () => {
  const level = (i: number) => `a${i}: #Comp & {l: a${i - 1}, r: a${i - 1}}\n`;
  const config = (n: number) =>
    `package x\n#Comp: {l: _, r: _, #up: [{do: "load", from: l}, {do: "copy", from: r}]}\na0: #up: [{do: "scratch"}]\n${Array.from({ length: n }, (_, i) => level(i + 1)).join("")}`;
  const [half, whole] = [await load(evaluator, config(32)), await load(evaluator, config(64))].map((e) => countValues(e.root));
  assert.ok((whole as number) < 2.2 * (half as number));
});

test("2,000 ops in 200 components have values in proportion to the ops", async () => {
  const component = (i: number) =>
    `c${i}: #up: [${Array.from({ length: 10 }, (_, j) => `{do: "exec", args: ["run", "${i}", "${j}"], from: c${i - 1}}`).join(", ")}]\n`;
  const config = (n: number) => `package x\nc0: #up: [{do: "scratch"}]\n${Array.from({ length: n }, (_, i) => component(i + 1)).join("")}`;
  const few = countValues((await load(evaluator, config(50))).root);
  const many = countValues((await load(evaluator, config(200))).root);
  assert.ok(Math.abs(many / few - 4) < 0.1, `${few} and ${many}`);
});

test("a chain of references that exhausts the stack is evaluated with a larger one", async () => {
  const deep = `package x\na: ${"{b: ".repeat(3000)}1${"}".repeat(3000)}`;
  let value = at((await load(evaluator, deep)).root, "a");
  let depth = 0;
  for (; value.fields.size > 0; depth++) value = at(value, "b");
  assert.equal(depth, 3000);
});

test("attributes, documentation and places belong to the field", async () => {
  const { root } = await load(evaluator, `package x\n\n// The name.\n// Two lines.\nname: "n" @dagger(input) @other(a, b="c")\nplain: 1`);
  const field = root.fields.get("name");
  assert.deepEqual(field?.attributes, [
    { name: "dagger", body: "input" },
    { name: "other", body: 'a, b="c"' },
  ]);
  assert.equal(field?.doc, "The name.\nTwo lines.");
  assert.deepEqual(places(field?.at ?? []), ["a.cue:5:1"]);
  assert.deepEqual(root.fields.get("plain")?.attributes, []);
  assert.equal(root.fields.get("plain")?.doc, "");
});

test("places in the user's files come before those in libraries", async () => {
  const { root } = await load(evaluator, {
    "a.cue": 'package x\nimport "cuellb.dev/lib"\na: lib.#A & {\n\tname: "n"\n}',
    "library/lib/lib.cue": "package lib\n#A: name: string",
  });
  assert.deepEqual(places(at(root, "a").fields.get("name")?.at ?? []), ["a.cue:4:2", "cuellb.dev/lib/lib.cue:2:5"]);
});

test("values of a library say which library", async () => {
  const { root } = await load(evaluator, {
    "a.cue": 'package x\nimport "cuellb.dev/lib"\na: #up: [{from: lib}, {from: lib.b}]',
    "library/lib/lib.cue": 'package lib\n#up: [{do: "scratch"}]\nb: #up: [1]',
  });
  assert.equal(at(root, "a", "#up", 0, "from").path, '"cuellb.dev/lib"');
  assert.equal(at(root, "a", "#up", 1, "from").path, '"cuellb.dev/lib".b');
  assert.equal(at(root, "a", "#up", 0, "from", "#up", 0, "do").scalar, "scratch");
});

test("a default is taken, and gives way to a value", async () => {
  const { root } = await load(evaluator, `package x\na: *7 | int\nb: *7 | int\nb: 8\nc: *{#up: [1]} | {#up: [2]}`);
  assert.equal(at(root, "a").scalar, 7);
  assert.equal(at(root, "b").scalar, 8);
  assert.equal(at(root, "c", "#up", 0).scalar, 1);
});

test("a scalar that carries #up keeps it", async () => {
  const { root } = await load(evaluator, `package x\nurl: {string, #up: [1]}\ntag: {"v1", #up: [2]}`);
  assert.equal(at(root, "url").kind, "incomplete");
  assert.equal(at(root, "url").type, "string");
  assert.equal(at(root, "url", "#up", 0).scalar, 1);
  assert.equal(at(root, "tag").kind, "string");
  assert.equal(at(root, "tag").scalar, "v1");
  assert.equal(at(root, "tag", "#up", 0).scalar, 2);
});

test("an incomplete value names what it waits for and where that is declared", async () => {
  const { root } = await load(
    evaluator,
    `package x
name: string
req!: int
lim: >0 & int
greet: "hi \\(name)"
again: greet + "!"
same: name
typed: #Name
typed2: #Name
refers: typed
#Name: string & =~"x"
sub: {if name != "" {a: 1}}
list: [if name != "" {1}]
either: "a" | "b"`,
  );
  const missing = (label: string) => at(root, label).missing?.map((m) => `${m.path} ${m.type} ${places(m.at)}`);
  for (const label of ["name", "greet", "again", "same", "sub", "list"]) {
    assert.deepEqual(missing(label), ["name string a.cue:2:1"], label);
    assert.equal(at(root, label).kind, "incomplete");
  }
  assert.deepEqual(missing("req"), ["req int a.cue:3:1"]);
  assert.deepEqual(missing("lim"), ["lim int & >0 a.cue:4:1"]);
  assert.deepEqual(missing("typed"), ['typed =~"x" a.cue:8:1']);
  assert.deepEqual(missing("typed2"), ['typed2 =~"x" a.cue:9:1']);
  assert.deepEqual(missing("refers"), ['typed =~"x" a.cue:8:1']);
  assert.deepEqual(missing("either"), ['either "a" | "b" a.cue:14:1']);
});

test("a config whose own fields wait for a value still shows the others", async () => {
  const { root } = await load(evaluator, `package x\nn: int\na: 1\nif n > 3 {b: 2}`);
  assert.equal(root.kind, "incomplete");
  assert.deepEqual(
    root.missing?.map((m) => m.path),
    ["n"],
  );
  assert.equal(at(root, "a").scalar, 1);
});

test("text fills a string as it is, and any other kind as a literal", async () => {
  const config = `package x\ns: string\ni: int\nb: bool\nl: [...int]\neither: string | int\nm: [string]: int\no?: int\nr!: bool`;
  const text = { s: "42", i: "42", b: "true", l: "[1, 2]", either: "42", "m.new": "5", o: "6", r: "false" };
  const fills = Object.entries(text).map(([path, value]) => ({ path, text: value, origin: `-i ${path}` }));
  const evaluation = await load(evaluator, config, { fills });
  assert.deepEqual(evaluation.exportJson(), { s: "42", i: 42, b: true, l: [1, 2], either: "42", m: { new: 5 }, o: 6, r: false });
});

test("JSON fills data of any shape", async () => {
  const fills = [{ path: "a.b", json: '{"c": [1, "x", null], "d-e": {"f": true}}', origin: "export of a.b" }];
  const evaluation = await load(evaluator, "package x\na: b: _", { fills });
  assert.deepEqual(evaluation.exportJson(), { a: { b: { c: [1, "x", null], "d-e": { f: true } } } });
});

test("a fill evaluates again, also what comes only with it; earlier evaluations stay as they are", async () => {
  const before = await load(evaluator, `package x\nn: int\na: n + 1\nif n > 3 {b: #up: [n]}`);
  const after = await before.fill([{ path: "n", json: "5", origin: "export of n" }]);
  const other = await before.fill([{ path: "n", json: "1", origin: "export of n" }]);
  assert.equal(at(after.root, "b", "#up", 0).scalar, 5);
  assert.deepEqual(other.exportJson(), { n: 1, a: 2 });
  assert.equal(at(before.root, "a").kind, "incomplete");
});

test("a fill of a scalar that carries #up gives it its value", async () => {
  const before = await load(evaluator, `package x\nurl: {string, #up: [1]}\nsay: "at \\(url)"`);
  const after = await before.fill([{ path: "url", json: '"http://x"', origin: "export of url" }]);
  assert.equal(at(after.root, "say").scalar, "at http://x");
  assert.equal(at(after.root, "url", "#up", 0).scalar, 1);
});

test("a fill that contradicts the config names both places", async () => {
  const [found] = await refused(load(evaluator, "package x\nn: int & <5", { fills: [{ path: "n", text: "9", origin: "-i n" }] }));
  assert.equal(found?.code, "cue-bound");
  assert.equal(found?.path, "n");
  assert.deepEqual(new Set(found?.at.map((p) => p.file)), new Set(["a.cue", "-i n"]));
});

test("a fill of text that no kind admits is a conflict", async () => {
  const [found] = await refused(load(evaluator, "package x\nn: int", { fills: [{ path: "n", text: "abc", origin: "-i n" }] }));
  assert.equal(found?.code, "cue-conflict");
});

test("a fill at a path that nothing declares is refused", async () => {
  const fills = [{ path: "nme", text: "x", origin: "-i nme" }];
  assert.equal((await refused(load(evaluator, "package x\nname: string", { fills })))[0]?.code, "cue-unknown-field");
  for (const path of ["", "a b", "l[0]", "1.2."]) {
    const found = await refused(load(evaluator, "package x\nl: [int]", { fills: [{ path, text: "1", origin: "-i" }] }));
    assert.equal(found[0]?.code, "cue-fill", path);
  }
});

test("final data leaves out definitions, hidden fields and what is incomplete", async () => {
  const config = `package x\na: 1, b: string, c: #up: [1], d: {e: int, f: 2}, _g: 3, #H: 4, url: {"u", #up: []}, "k-l": [1]`;
  assert.deepEqual((await load(evaluator, config)).exportJson(), { a: 1, c: {}, d: { f: 2 }, url: "u", "k-l": [1] });
});

test("labels with any character keep it in final data", async () => {
  const labels = ["a\u0007b", "\u000b", 'tab\t"q"\\', "\u0001", "\u{1F600} \u2028", "a.b", "0", "#x", "_y"];
  const config = labels.map((label) => `${JSON.stringify(label)}: 1`).join("\n");
  const data = (await load(evaluator, config)).exportJson() as Record<string, unknown>;
  assert.deepEqual(new Set(Object.keys(data)), new Set(labels));
});
