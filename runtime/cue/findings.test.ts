// What is wrong with a config, as data: code, path, every place, all at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Evaluator } from "./evaluate.ts";
import { load, newEvaluator, places, refused } from "./testing.ts";

let evaluator: Evaluator;
before(async () => {
  evaluator = await newEvaluator();
});
after(() => evaluator.close());

const cases: readonly {
  name: string;
  cue: string;
  found: readonly (readonly [code: string, path: string, message: string, ...at: string[]])[];
}[] = [
  {
    name: "a syntax error",
    cue: "a: {b: 1\nc: ]",
    found: [["cue-syntax", "", "The { is closed by ] instead of }", "a.cue:1:4", "a.cue:2:4"]],
  },
  {
    name: "every conflict",
    cue: 'a: string\na: 5\nb: c: int\nb: c: "x"',
    found: [
      ["cue-conflict", "a", "The field a must be a string, got 5, which is a whole number (int)", "a.cue:1:4", "a.cue:2:4"],
      ["cue-conflict", "b.c", 'The field b.c must be a whole number (int), got "x", which is a string', "a.cue:3:7", "a.cue:4:7"],
    ],
  },
  {
    name: "a field that its definition does not have",
    cue: "#A: name?: string\na: #A & {nme: 1}",
    found: [["cue-unknown-field", "a.nme", "There is no field nme here: the definition does not allow it", "a.cue:2:10"]],
  },
  {
    name: "references to nothing",
    cue: "a: foo\nb: bar",
    found: [
      ["cue-reference", "a", "There is nothing called foo here", "a.cue:1:4"],
      ["cue-reference", "b", "There is nothing called bar here", "a.cue:2:4"],
    ],
  },
  {
    name: "a field that a closed value does not have",
    cue: "#B: x: 1\nb: #B.y",
    found: [["cue-reference", "b", "There is no field y", "a.cue:2:7"]],
  },
  {
    name: "a cycle between components",
    cue: "a: #up: [{from: b}]\nb: #up: [{from: a}]",
    found: [
      [
        "cue-cycle",
        "b.#up[0].from",
        "Values contain each other in a cycle: b.#up[0].from refers to a, a.#up[0].from refers to b",
        "a.cue:2:11",
        "a.cue:1:11",
      ],
    ],
  },
  {
    name: "a value that contains itself",
    cue: "a: b: a",
    found: [["cue-cycle", "a.b", "Values contain each other in a cycle: a.b refers to a", "a.cue:1:4"]],
  },
  {
    name: "a failed disjunction, as one finding",
    cue: 'z: *"a" | "b"\nz: "c"',
    found: [["cue-disjunction", "z", '"c" is none of "a", "b"', "a.cue:1:5", "a.cue:2:4", "a.cue:1:11"]],
  },
  {
    name: "a bound",
    cue: "a: >5 & 3",
    found: [["cue-bound", "a", "The value of a is 3, but must be >5", "a.cue:1:4", "a.cue:1:9"]],
  },
  {
    name: "the cause inside a builtin",
    cue: 'import "strings"\na: strings.Repeat("x", -1)',
    found: [["cue-value", "a", "strings.Repeat fails: negative count", "a.cue:2:4"]],
  },
  {
    name: "an import that is not used",
    cue: 'import "strings"\na: 1',
    found: [["cue-unused", "", 'Package "strings" is imported, but not used', "a.cue:1:8"]],
  },
];

for (const { name, cue, found } of cases) {
  test(`${name} is told with its places`, async () => {
    const diagnostics = await refused(load(evaluator, cue));
    assert.deepEqual(
      diagnostics.map((d) => [d.code, d.path ?? "", d.message, ...places(d.at)]),
      found.map((f) => [...f]),
    );
  });
}

const hints: Record<string, readonly [cue: string, hint: string | undefined]> = {
  "a misspelt field of a definition": ["#A: {name: string, image?: string}\na: #A & {imge: 1}", "Did you mean image?"],
  "a misspelt required field": ["#A: {name!: string}\na: #A & {nmae: 1}", "Did you mean name?"],
  "an unknown field, where few are known": ["#A: {x: 1, y?: 2}\na: #A & {qqqqqq: 1}", "It may have x, y"],
  "a field that is quoted": ['#A: {"build-dir": string}\na: #A & {"biuld-dir": "x"}', 'Did you mean "build-dir"?'],
  "a field deep inside": ["#A: b: [...{c?: int}]\na: #A & {b: [{c: 1}, {cc: 2}]}", "Did you mean c?"],
  "a misspelt reference": ["image: 1\na: imge", "Did you mean image?"],
  "a reference to a field of a struct around it": ["a: {local: 1, b: c: locla}", "Did you mean local?"],
  "a reference to a variable of a comprehension": ["a: [for item in [1] {itme}]", "Did you mean item?"],
  "a reference to a let": ["let total = 1\na: totl\nb: total", "Did you mean total?"],
  "a misspelt type": ["a: strng", "Did you mean string?"],
  "a misspelt import": ['import "strings"\na: strngs.ToUpper("x")\nb: strings.ToUpper("x")', "Did you mean strings?"],
  "a name that resembles nothing": ["a: qqqqqqqq", 'Check the spelling; text is written in quotes: "qqqqqqqq"'],
  "a field of a struct that is not around it": ["a: {inner: 1}\nb: innr", 'Check the spelling; text is written in quotes: "innr"'],
  "a builtin package that is not imported": ['a: strings.ToUpper("x")', 'Add `import "strings"`'],
  "a misspelt builtin package": ['import "string"\na: string.ToUpper("x")', "Did you mean strings?"],
  "a misspelt function": ['import "strings"\na: strings.ToUper("x")', "Did you mean ToUpper?"],
  "a value that is none to choose from": ['a: "build" | "test"\na: "tset"', 'Did you mean "test"?'],
};

for (const [name, [cue, hint]] of Object.entries(hints)) {
  test(`the hint for ${name}`, async () => {
    const [found] = await refused(load(evaluator, cue));
    assert.equal(found?.hint, hint, JSON.stringify(found));
  });
}

const operations = `
#Copy: {do: "copy", src: string, from: _}
#Exec: {do: "exec", args: [...string], dir?: string}
#Rm: {do: "rm", path: string}
#Op: #Copy | #Exec | #Rm
`;

test("of a failed disjunction the alternative that was meant is told, by the field that tells them apart", async () => {
  const told = async (op: string) => (await refused(load(evaluator, `${operations}a: #Op & ${op}`))).map((d) => `${d.code} ${d.path}`);
  assert.deepEqual(await told('{do: "exec", arg: ["x"]}'), ["cue-unknown-field a.arg"]);
  assert.deepEqual(await told('{do: "exec", args: "x"}'), ["cue-conflict a.args"]);
  assert.deepEqual(await told('{do: "rm", path: 5, src: "x"}'), ["cue-conflict a.path"]);
});

test("a value of the wrong type is told with all there is to choose from", async () => {
  const [found] = await refused(load(evaluator, 'a: "x" | "y"\na: 5'));
  assert.equal(found?.message, '5 is none of "x", "y"');
  assert.equal(found?.hint, "Write one of them");
});

test("a discriminator that fits no alternative is told with all of them", async () => {
  const [found] = await refused(load(evaluator, `${operations}a: #Op & {do: "exce"}`));
  assert.equal(found?.message, '"exce" is none of "copy", "exec", "rm"');
  assert.equal(found?.hint, 'Did you mean "exec"?');
});

test("what a package does not have is told, unless it may still come", async () => {
  const files = (lib: string) => ({
    "a.cue": 'package a\nimport "cuellb.dev/lib"\na: lib.#Thin\nb: missing',
    "library/lib/lib.cue": `package lib\n${lib}`,
  });
  const [member, reference] = await refused(load(evaluator, files("#Thing: 1")));
  assert.deepEqual([member?.code, member?.message, member?.hint], ["cue-reference", "Package lib has no #Thin", "Did you mean #Thing?"]);
  assert.equal(reference?.message, "There is nothing called missing here", "other findings are told in the same run");
  const open = await refused(load(evaluator, files("x: int\nif x > 1 {#Thin: 1}")));
  assert.deepEqual(
    open.map((d) => d.message),
    ["There is nothing called missing here"],
  );
  const shadowed = {
    "a.cue": 'package a\nimport "cuellb.dev/lib"\na: {lib: {y: 1}, b: lib.y}\nc: lib.x',
    "library/lib/lib.cue": "package lib\nx: 1",
  };
  assert.deepEqual((await load(evaluator, shadowed)).exportJson(), { a: { lib: { y: 1 }, b: 1 }, c: 1 });
});

test("nesting beyond what CUE reads is an error, not a crash", async () => {
  const [found] = await refused(load(evaluator, `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`));
  assert.equal(found?.code, "cue-syntax");
});

test("an evaluation after a failed one starts clean", async () => {
  await refused(load(evaluator, "a: 1 & 2"));
  assert.deepEqual((await load(evaluator, "a: 3")).exportJson(), { a: 3 });
});

test("evaluations that overlap do not mix", async () => {
  const all = await Promise.all([1, 2, 3].map((n) => load(evaluator, `a: ${n}\nb: int`)));
  const filled = await Promise.all(all.map((e) => e.fill([{ path: "b", json: "9", origin: "export of b" }])));
  assert.deepEqual(
    filled.map((e) => e.exportJson()),
    [1, 2, 3].map((a) => ({ a, b: 9 })),
  );
});
