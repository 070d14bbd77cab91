// What files say to people is read from their syntax: comments, marks, types, defaults, attributes.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { DocField, Documented } from "./protocol.ts";
import { newEvaluator, refused } from "./testing.ts";

const evaluator = await newEvaluator();
after(() => evaluator.close());

async function document(...texts: readonly string[]): Promise<Documented> {
  return evaluator.document(texts.map((text, index) => ({ name: `${index}.cue`, text })));
}

/** The only field of a text, without what is empty. */
async function field(text: string): Promise<Partial<DocField>> {
  const fields = (await document(text)).fields ?? [];
  assert.equal(fields.length, 1);
  return Object.fromEntries(Object.entries(fields[0] ?? {}).filter(([, value]) => value !== ""));
}

test("the comments of package clauses, of all files, are the text of a package", async () => {
  const found = await document(
    "// No part of it.\n\n// Package p does it.\n//\n// And more.\npackage p\n",
    "// Of a file.\n\npackage p\n",
    "// More.\npackage p\n",
  );
  assert.deepEqual(found, { package: "p", doc: "Package p does it.\n\nAnd more.\n\nMore.", fields: null });
});

test("a mark, a type, a default, a comment and attributes belong to a field", async () => {
  assert.deepEqual(await field('// Name.\nname!: string & !="" @tag(name)\n'), {
    name: "name",
    mark: "!",
    type: 'string & !=""',
    doc: "Name.",
    attributes: ["@tag(name)"],
  });
  assert.deepEqual(await field("n?: *3 | int\n"), { name: "n", mark: "?", type: "int", default: "3" });
});

test("a default is one of the alternatives only where there are nothing but values to choose from", async () => {
  for (const [text, type, byDefault] of [
    ['*"a" | "b" | "c"', '"a" | "b" | "c"', '"a"'],
    ['"b" | *"a"', '"b" | "a"', '"a"'],
    ["int | *1 | string", "int | string", "1"],
    ["*false | bool", "bool", "false"],
    ['(*"x" | string) & !=""', 'string & !=""', '"x"'],
    ['(*"x" | string | int) & !=""', '(string | int) & !=""', '"x"'],
    ['*["."] | [string, ...string]', "[string, ...string]", '["."]'],
  ] as const) {
    const found = await field(`a: ${text}\n`);
    assert.deepEqual([found.type, found.default], [type, byDefault], text);
  }
});

test("hidden fields, computed labels and ops are left out; quoted labels and patterns stay as they are", async () => {
  const { fields } = await document('_a: 1\n_#B: 2\n"\\(c)": 3\n(d): 4\nlet e = 5\n"_f": 6\n"g-h": 7\ni: 8\n"j": 9\n[string]: 10\n');
  assert.deepEqual(
    (fields ?? []).map(({ name }) => name),
    ['"_f"', '"g-h"', "i", "j", "[string]"],
  );
});

test("what has ops is a component; beside them stands what it gives", async () => {
  assert.deepEqual(await field("a: {\n\t#up: []\n}\n"), { name: "a", component: true });
  assert.deepEqual(await field("a: {string, #up: []}\n"), { name: "a", component: true, type: "string" });
});

test("definitions have the fields of definitions of the package that they embed, each once", async () => {
  const text = `
#A: {
	_#Shared
	#Base
	// Own.
	own: string
	// Later.
	base: "x"
}
#B: #Base & {c?: int}
_#Shared: {
	// In common.
	shared!: _
	_#Shared
}
#Base: base!: string
`;
  const { fields } = await document(text);
  const [a, b] = fields ?? [];
  const shown = (one: DocField | undefined) => (one?.fields ?? []).map((f) => `${f.name}${f.mark} ${f.type} ${f.doc}`);
  assert.deepEqual(shown(a), ["shared! _ In common.", 'base string & "x" Later.', "own string Own."]);
  assert.deepEqual(shown(b), ["base! string ", "c? int "]);
});

test("fields of a field are told, but not what a config puts into a definition of others", async () => {
  const { fields } = await document("a: {\n\t// B.\n\tb?: int\n}\nc: lib.#D & {e: 1}\nf: [string]: int\ng: [for x in y {x}]\nh: {...}\n");
  assert.deepEqual(
    (fields ?? []).map((f) => [f.name, f.type, (f.fields ?? []).map((one) => one.name).join()]),
    [
      ["a", "", "b"],
      ["c", "lib.#D", ""],
      ["f", "{[string]: int}", ""],
      ["g", "[...]", ""],
      ["h", "", ""],
    ],
  );
});

test("a type of several lines becomes one line, without its comments", async () => {
  const text = "a: [...{\n\t// One.\n\tone!: string\n\tlonger?: int // Two.\n}]\n";
  assert.equal((await field(text)).type, "[...{one!: string, longer?: int}]");
});

test("every syntax error of every file is told", async () => {
  const found = await refused(document("a: 1\n", "b: [1 2]\n", "c: {\n"));
  assert.deepEqual(
    found.map(({ code, at: [first] }) => [code, first?.file]),
    [
      ["cue-syntax", "1.cue"],
      ["cue-syntax", "2.cue"],
    ],
  );
});

test("fields of comprehensions are told with their condition; what is always there stays so", async () => {
  const { fields } = await document(
    'a: {\n\tx: 1\n\tif y {x: int, z: {k: "v"}}\n\tif !y {z: l: "w"}\n\tfor k, v in m if v {"\\(k)": v}\n\tif y {x: more: 1}\n}\n',
  );
  const told = (fields?.[0]?.fields ?? []).map(({ name, type, when, fields: inner }) => [
    name,
    type,
    when ?? "",
    (inner ?? []).map((one) => `${one.name} ${one.when ?? ""}`),
  ]);
  assert.deepEqual(told, [
    ["x", "1", "", ["more if y"]],
    ["z", "", "if y or if !y", ["k ", "l "]],
    ['"\\(k)"', "v", "for k, v in m, if v", []],
  ]);
});

test("what a comprehension has otherwise is told with the condition that fails", async () => {
  const { fields } = await document(
    "@experiment(try)\n\na: {\n\tif y {x: int} else {x: string, z: 1}\n\tfor v in m if v {w: 1} fallback {w: 2}\n}\n",
  );
  const told = (fields?.[0]?.fields ?? []).map(({ name, type, when }) => [name, type, when]);
  assert.deepEqual(told, [
    ["x", "int | string", "if y or else of if y"],
    ["z", "1", "else of if y"],
    ["w", "1 | 2", "for v in m, if v or fallback of for v in m, if v"],
  ]);
});

test("an input that a definition embeds and names again must still be given", async () => {
  const { fields } = await document("#A: {\n\t_#I\n\ts: _\n\tu: s\n}\n_#I: {\n\t// Text.\n\ts!: string\n\tu: _\n}\n");
  const [input] = fields?.[0]?.fields ?? [];
  assert.deepEqual([input?.name, input?.mark, input?.type], ["s", "!", "string"]);
});
