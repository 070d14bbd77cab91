// Paths of what is declared outside of the config's data: in imported packages, definitions and hidden fields.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Evaluator } from "./evaluate.ts";
import { at, countValues, load, newEvaluator, refused } from "./testing.ts";

let evaluator: Evaluator;
before(async () => {
  evaluator = await newEvaluator();
});
after(() => evaluator.close());

const greet = {
  "cue.mod/module.cue": `module: "m.test"\nlanguage: version: "v0.17.0"`,
  "greet/greet.cue": "package greet\n#G: {name: string, out: {string, #up: [{content: name}]}, parts: [{#up: [{}]}]}\nshared: {a: #G.out}",
};
const config = (text: string) => ({ ...greet, "c/c.cue": `package c\nimport "m.test/greet"\n${text}` });

test("a value of a package goes by the first place in the data that refers to it, and so does all that it holds", async () => {
  const { root } = await load(evaluator, config("_h: greet.#G\nuse: #up: [{from: greet.#G.out}]\nhi: greet.#G\nlater: hi"), { at: "c" });
  const hi = at(root, "hi");
  assert.deepEqual([hi.path, hi.origin], ["hi", '"m.test/greet".#G']);
  assert.equal(at(root, "later"), hi);
  assert.equal(at(root, "use", "#up", 0, "from"), at(root, "hi", "out"));
  assert.equal(hi.fields.get("out")?.path, "hi.out");
  assert.equal(at(hi, "out", "#up", 0).path, "hi.out.#up[0]");
  assert.equal(at(hi, "parts", 0, "#up", 0).path, "hi.parts[0].#up[0]");
  assert.deepEqual(
    at(hi, "out", "#up", 0, "content").missing?.map(({ path }) => path),
    ["hi.name"],
  );
});

test("a value that no data refers to keeps the path of its package", async () => {
  const { root } = await load(evaluator, config("use: #up: [{from: greet.#G.out}]"), { at: "c" });
  assert.equal(at(root, "use", "#up", 0, "from").path, '"m.test/greet".#G.out');
  assert.equal(at(root, "use", "#up", 0, "from").origin, undefined);
});

test("a config that is nothing but a value of a package holds it at its root", async () => {
  const { root } = await load(evaluator, config("greet.#G"), { at: "c" });
  assert.equal(root.path, "");
  assert.equal(at(root, "out", "#up", 0).path, "out.#up[0]");
});

test("definitions and hidden fields go by their places too; what the data declares goes by its own path however early it is used", async () => {
  const { root } = await load(
    evaluator,
    "package c\nfirst: real\n#D: x: #up: [{}]\n_h: {y: #up: [{}], r: real}\nd: #D\nh: _h\nreal: #up: [{}]",
  );
  assert.deepEqual([at(root, "d", "x").path, at(root, "h", "y").path, at(root, "first").path], ["d.x", "h.y", "real"]);
  assert.equal(at(root, "h", "r"), at(root, "real"));
});

test("a diamond of definitions is named in linear time", async () => {
  const level = (i: number) => `#D${i}: {a: #D${i - 1}, b: #D${i - 1}}`;
  const levels = Array.from({ length: 64 }, (_, i) => level(i + 1));
  const { root } = await load(evaluator, `package c\n#D0: #up: [{}]\n${levels.join("\n")}\nd: #D64`);
  assert.ok(countValues(root) < 200);
});

test("a fill reaches elements of lists where it may, and only those that are there", async () => {
  const text = "package x\nl: [string, {a: [int, string]}]\nopen: [...string]";
  const fill = (path: string) => ({ path, json: '"v"', origin: "test", elements: true });
  const evaluation = await load(evaluator, text);
  const filled = await evaluation.fill([fill("l[0]"), fill("l[1].a[1]")]);
  assert.deepEqual(filled.exportJson(), { l: ["v", { a: [null, "v"] }], open: [] });
  assert.equal((await refused(evaluation.fill([fill("l[2]")])))[0]?.code, "cue-conflict");
  assert.equal((await refused(load(evaluator, text, { fills: [{ path: "l[0]", json: '"v"', origin: "test" }] })))[0]?.code, "cue-fill");
});

test("one value at several places stays one after a fill that has one origin, and is two once its places differ", async () => {
  const evaluation = await load(evaluator, config("hi: greet.#G\nagain: greet.#G\nuse: #up: [{from: again.out}]"), { at: "c" });
  const fills = (value: string) =>
    ["hi.out", "again.out"].map((path) => ({ path, json: JSON.stringify(value), origin: "export of hi.out", elements: true }));
  const { root } = await evaluation.fill(fills("v"));
  assert.equal(at(root, "hi", "out").scalar, "v");
  assert.equal(at(root, "hi", "out"), at(root, "again", "out"));
  assert.equal(at(root, "use", "#up", 0, "from"), at(root, "hi", "out"));
  const other = [...fills("v"), { path: "again.name", json: '"x"', origin: "-i again.name=x" }];
  const apart = (await evaluation.fill(other)).root;
  assert.notEqual(at(apart, "hi", "out"), at(apart, "again", "out"));
});
