// Tags: values from the command line for fields with @tag.
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import type { Evaluator } from "./evaluate.ts";
import { load, newEvaluator, places, refused } from "./testing.ts";

let evaluator: Evaluator;
before(async () => {
  evaluator = await newEvaluator();
});
after(() => evaluator.close());

const config = `package x
env: string | *"dev" @tag(env,short=prod|staging)
n: int | *1 @tag(n,type=int)
on: bool | *false @tag(on,type=bool)
host: string | *"?" @tag(host,var=hostname)
greeting: "to \\(env)"
`;
const json = async (tags: readonly string[], injectVars = false) => (await load(evaluator, config, { tags, injectVars })).exportJson();
const plain = { env: "dev", n: 1, on: false, host: "?", greeting: "to dev" };

test("tags give fields their values, by name and by shorthand", async () => {
  assert.deepEqual(await json([]), plain);
  assert.deepEqual(await json(["env=x=y", "n=0x10", "on=T"]), { ...plain, env: "x=y", n: 16, on: true, greeting: "to x=y" });
  assert.deepEqual(await json(["prod"]), { ...plain, env: "prod", greeting: "to prod" });
});

test("variables of the machine are told only when the user allows it, and give way to tags", async () => {
  assert.deepEqual(await json([], true), { ...plain, host: hostname() });
  assert.deepEqual(await json(["host=h"], true), { ...plain, host: "h" });
});

test("tags of imported packages are not for the command line", async () => {
  const files = {
    "cue.mod/module.cue": 'module: "example.com/m@v0"\nlanguage: version: "v0.9.0"',
    "a.cue": 'package x\nimport "example.com/m/lib"\na: lib.env\nb: string | *"d" @tag(env)',
    "lib/l.cue": 'package lib\nenv: string | *"d" @tag(env)',
  };
  assert.deepEqual((await load(evaluator, files, { tags: ["env=x"] })).exportJson(), { a: "d", b: "x" });
});

for (const [title, text, tag, message, place] of [
  ["a tag that no field has", config, "nosuch=1", /no field has the tag "nosuch"/i, ""],
  ["a tag that nothing asks for", config, "nosuch", /no file asks for the tag "nosuch"/i, ""],
  ["a value of another type", config, "n=many", /invalid number for injection tag "n"/i, "a.cue:3:13"],
  ["a value that contradicts the field", 'package x\nenv: "a" @tag(env)', "env=b", /two different values/i, "a.cue:2:6"],
  ["a tag within a list", "package x\nl: [{a: 1 @tag(a)}]", "a=1", /cannot stand within lists/i, "a.cue:2:11"],
  ["a tag of an unknown type", "package x\na: _ @tag(a,type=float)", "a=1", /string, int, number or bool, not "float"/i, "a.cue:2:6"],
  ["a tag whose name is none", "package x\na: _ @tag(1a)", "1a=1", /the name of a tag is a CUE name/i, "a.cue:2:6"],
] as const) {
  test(`${title} is refused`, async () => {
    const [found] = await refused(load(evaluator, text, { tags: [tag] }));
    assert.match(found?.message ?? "", message);
    if (place) assert.deepEqual(places(found?.at ?? []).slice(0, 1), [place]);
    if (found?.code !== "cue-conflict") assert.ok(found?.code === "cue-tag" && found.hint);
  });
}
