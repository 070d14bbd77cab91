// What is shown of a config is held against the pinned cue command: `cue eval` and `cue export`.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cue } from "../../test/support/cue.ts";
import type { Show } from "./protocol.ts";
import { readSource } from "./source.ts";
import { inDirectory, newEvaluator, refused } from "./testing.ts";

const evaluator = await newEvaluator();
after(() => evaluator.close());

const plain: Show = { expression: "", format: "cue", all: false, concrete: false };

async function show(
  dir: string,
  wish: Partial<Show>,
  fills: readonly { path: string; text: string; origin: string }[] = [],
): Promise<string> {
  const source = await readSource(evaluator, ".", { cwd: dir, library: dir });
  return evaluator.show(source, fills, { ...plain, ...wish });
}

const config = `package a

import "strings"

// Who is greeted.
name:  string | *"world"
big:   123456789012345678901234567890
ratio: 1.50
none:  null
raw:   '\\x00\\xffabc'
text: """
	two
	lines & <tags>
	"""
_hidden: 1
#Def: {a: int, b?: string}
def: #Def & {a: 3}
list: [for x in [1, 2, 3] {x * 2}]
"with-dash": {"0a": true, y: no: "yes"}
loud: strings.ToUpper(name)
`;

test("a config is shown as cue eval shows it, with -a also what is hidden and optional", async () => {
  await inDirectory({ "a.cue": `${config}open: string\nport: >0 & int\nsum: port + 1\n` }, async (dir) => {
    assert.equal(await show(dir, {}), await cue(dir, {}, "eval"));
    assert.equal(await show(dir, { all: true }), await cue(dir, {}, "eval", "-a"));
    for (const expression of ["def", "list", "open", "sum", "_hidden", "#Def", "{x: name}", 'strings.Split(name, "")'])
      assert.equal(await show(dir, { expression }), await cue(dir, {}, "eval", "-e", expression));
  });
});

test("data is shown as cue export shows it", async () => {
  await inDirectory({ "a.cue": config }, async (dir) => {
    for (const format of ["json", "yaml"] as const) {
      assert.equal(await show(dir, { format }), await cue(dir, {}, "export", "--out", format));
      assert.equal(await show(dir, { format, expression: "list" }), await cue(dir, {}, "export", "--out", format, "-e", "list"));
    }
    assert.equal(await show(dir, { format: "text", expression: "loud" }), await cue(dir, {}, "export", "--out", "text", "-e", "loud"));
  });
});

test("values from outside are part of what is shown", async () => {
  await inDirectory({ "a.cue": 'name: string\ngreeting: "Hello, \\(name)"\n' }, async (dir) => {
    const fills = [{ path: "name", text: "you", origin: "-i name" }];
    assert.equal(await show(dir, { format: "text", expression: "greeting" }, fills), "Hello, you\n");
  });
});

test("what has no value, does not exist or is no CUE is refused with its place", async () => {
  await inDirectory({ "a.cue": "a: int\nb: {c: string, d: 1}\ne: 1\n" }, async (dir) => {
    const codes = async (wish: Partial<Show>): Promise<unknown> =>
      (await refused(show(dir, wish))).map(({ code, path, at: [first] }) => [code, path, `${first?.file}:${first?.line}`]);
    assert.deepEqual(await codes({ format: "json" }), [
      ["cue-incomplete", "a", "a.cue:1"],
      ["cue-incomplete", "b.c", "a.cue:2"],
    ]);
    assert.deepEqual(await codes({ concrete: true, expression: "b" }), [["cue-incomplete", "b.c", "a.cue:2"]]);
    assert.deepEqual(await codes({ expression: "nothing" }), [["cue-reference", undefined, "-e:1"]]);
    assert.deepEqual(await codes({ expression: "b.nothing" }), [["cue-reference", undefined, "-e:1"]]);
    assert.deepEqual(await codes({ expression: "b +" }), [["cue-syntax", undefined, "-e:1"]]);
    assert.deepEqual(await codes({ expression: 'e & "x"' }), [["cue-conflict", undefined, "-e:1"]]);
    assert.deepEqual(await codes({ expression: "b", format: "text" }), [["cue-incomplete", "b.c", "a.cue:2"]]);
    assert.deepEqual(await codes({ expression: "[1]", format: "text" }), [["cue-not-text", undefined, "undefined:undefined"]]);
  });
});

test("a wrong config is told as in every command", async () => {
  await inDirectory({ "a.cue": "a: 1\na: 2\n" }, async (dir) => {
    assert.deepEqual(
      (await refused(show(dir, {}))).map(({ code }) => code),
      ["cue-conflict"],
    );
  });
});

test("evaluating goes on as if nothing had been shown", async () => {
  await inDirectory({ "a.cue": "a: int\nb: 2\n" }, async (dir) => {
    const source = await readSource(evaluator, ".", { cwd: dir, library: dir });
    const loaded = await evaluator.load(source);
    assert.equal(await evaluator.show(source, [], { ...plain, expression: "b" }), "2\n");
    const filled = await loaded.fill([{ path: "a", text: "1", origin: "-i a" }]);
    assert.deepEqual(filled.exportJson(), { a: 1, b: 2 });
  });
});
