// Exported files of every format, right and wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValueOutput } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import { decodeValue } from "./decode.ts";

const at = [{ file: "up.cue", line: 3, column: 5 }];
const output = (format: ValueOutput["format"]): ValueOutput => ({ file: "values/0", path: "app.version", format, at });
const decode = (format: ValueOutput["format"], text: string | Uint8Array) => decodeValue(output(format), Buffer.from(text as string));

test("a string is taken as it is, with its newline", async () => {
  assert.equal(await decode("string", "1.2\n"), '"1.2\\n"');
});

test("a number keeps every digit and becomes valid JSON", async () => {
  for (const [text, json] of [
    ["42\n", "42"],
    ["-0.50", "-0.50"],
    ["+7", "7"],
    ["007", "7"],
    [".5", "0.5"],
    ["5.", "5"],
    ["12345678901234567890123", "12345678901234567890123"],
    ["1e9", "1e9"],
  ] as const) {
    assert.equal(await decode("number", text), json);
    JSON.parse(json);
  }
});

test("JSON text is passed on unchanged", async () => {
  assert.equal(await decode("json", '{"n": 12345678901234567890}'), '{"n": 12345678901234567890}');
});

test("YAML becomes JSON", async () => {
  assert.equal(await decode("yaml", "a: 1\nb: [x, y]\n"), '{"a":1,"b":["x","y"]}');
  assert.equal(await decode("yaml", ""), "null");
});

test("a boolean is true or false", async () => {
  assert.equal(await decode("boolean", "true\n"), "true");
});

test("a file that is not what its format says is an error of the job that names value and line", async () => {
  const wrong: [ValueOutput["format"], string | Uint8Array][] = [
    ["number", "many"],
    ["number", ""],
    ["boolean", "yes"],
    ["json", "{"],
    ["yaml", "a: [1"],
    ["string", new Uint8Array([0xff, 0xfe])],
  ];
  for (const [format, text] of wrong) {
    await assert.rejects(decode(format, text), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exit, 1);
      assert.match(error.message, /^Cannot read the value of app\.version as /);
      assert.deepEqual(error.diagnostics[0]?.at, at);
      return true;
    });
  }
});
