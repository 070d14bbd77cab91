// The JSON Schema of inputs: a real validator takes what CUE takes, and refuses what CUE refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ConfigInput } from "./inputs.ts";
import { schemaOf } from "./schema.ts";
import type { SettingKind } from "./setting.ts";

const input = (type: string, kind: SettingKind = "json"): ConfigInput => ({
  path: "x",
  kind,
  type,
  title: "T",
  description: "",
  required: true,
  at: [],
});

function validator(one: ConfigInput): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, formats: { "x-directory": true, "x-secret": true } });
  const schema = schemaOf("test", [one]);
  const validate = ajv.compile(schema as Record<string, unknown>);
  return (value) => validate({ x: value });
}

for (const [type, good, bad] of [
  ["string", ["", "a"], [1, null]],
  ["bool", [true], ["true"]],
  ["int", [1, -1], [1.5, "1"]],
  ["uint & >0 & <10", [1, 9], [0, 10, -1, 1.5]],
  [">=0.5 & <=1.5", [0.5, 1], [0.4, 1.6, "1"]],
  ["uint8", [0, 255], [256, -1]],
  ["int16", [-32768], [32768]],
  ['"debug" | "info"', ["debug"], ["warn", 1]],
  ['*"a|b" | "c&d"', ["a|b", "c&d"], ["a"]],
  ["string | null", ["x", null], [1]],
  ['=~"^v[0-9]+$"', ["v1"], ["1", 1]],
  ['=~"^a" & !~"b$"', ["ax"], ["ab", "x"]],
  ['string & !=""', ["x"], [""]],
  ["strings.MinRunes(2)", ["ab"], ["a"]],
  ["[...string]", [[], ["a"]], [[1], "a"]],
  ["[...(int | bool)]", [[1, true]], [["a"]]],
  ["1 | 2 | 4", [1, 4], [3]],
  ["_", [1, "a", null], []],
] as const)
  test(`${type} is said in JSON Schema`, () => {
    const takes = validator(input(type));
    for (const value of good) assert.ok(takes(value), `refuses ${JSON.stringify(value)}`);
    for (const value of bad) assert.ok(!takes(value), `takes ${JSON.stringify(value)}`);
  });

test("what JSON Schema cannot say stands there as CUE, beside the type", () => {
  const { properties } = schemaOf("test", [input("string & strings.HasPrefix(x)", "text")]) as { properties: { x: object } };
  assert.deepEqual(properties.x, { title: "T", type: "string", $comment: "CUE: string & strings.HasPrefix(x)" });
  assert.ok(validator(input("strings.HasPrefix(x)", "text"))("y"));
});

test("secrets are references and never shown; fields that nobody knows are refused", () => {
  const takes = validator(input("", "secret"));
  assert.ok(takes("env:TOKEN"));
  assert.ok(!takes("hunter2"));
  const ajv = new Ajv2020({ formats: { "x-secret": true } });
  assert.equal(ajv.validate(schemaOf("test", []) as Record<string, unknown>, { y: 1 }), false);
});
