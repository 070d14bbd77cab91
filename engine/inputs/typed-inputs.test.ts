// Inputs by their kind: what they fill, and what is wrong with them.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import type { TypedInput } from "./typed-inputs.ts";
import { readTypedInputs } from "./typed-inputs.ts";

let dir: string;

before(() => {
  dir = mkdtempSync(join(tmpdir(), "inputs-"));
  mkdirSync(join(dir, "app"));
  writeFileSync(join(dir, "text"), "two\nlines\n");
  writeFileSync(join(dir, "binary"), Buffer.from([0xff, 0xfe, 0x00]));
  writeFileSync(join(dir, "a=b.json"), '{"odd": 1}');
  writeFileSync(join(dir, "deep.yaml"), "a:\n  b: [1, two]\n  c-d: null\n  e: {}\nbig: 12345678901234567890\n");
});
after(() => rmSync(dir, { recursive: true }));

async function fills(...inputs: readonly TypedInput[]): Promise<unknown> {
  return Object.fromEntries((await readTypedInputs(inputs, dir)).fills.map(({ path, json }) => [path, json]));
}

test("each kind of input fills what its name says", async () => {
  assert.deepEqual(await fills({ kind: "string", text: "a.b=1=2" }), { "a.b": '"1=2"' });
  assert.deepEqual(await fills({ kind: "file", text: "t=text" }), { t: '"two\\nlines\\n"' });
  const local = JSON.stringify([{ do: "local", dir: join(dir, "app"), exclude: ["**/.dagger"] }]);
  assert.deepEqual(await fills({ kind: "dir", text: "src=app" }), { "src.#up": local });
  const git = JSON.stringify([
    { do: "fetch-git", remote: "git@host:a.git", ref: "HEAD" },
    { do: "subdir", dir: "sub" },
  ]);
  assert.deepEqual(await fills({ kind: "git", text: "src=git@host:a.git,,sub" }), { "src.#up": git });
});

test("documents fill each of their fields, with all digits and odd labels", async () => {
  const expected = { "a.b": '[1,"two"]', 'a."c-d"': "null", "a.e": "{}", big: "12345678901234567890" };
  assert.deepEqual(await fills({ kind: "yaml", text: "deep.yaml" }), expected);
  assert.deepEqual(await fills({ kind: "json", text: "a=b.json" }), { odd: "1" });
  assert.deepEqual(await fills({ kind: "json", text: "x=a=b.json" }), { "x.odd": "1" });
});

test("directories that inputs name are told, wherever they lie", async () => {
  assert.deepEqual((await readTypedInputs([{ kind: "dir", text: `src=${dir}` }], "/")).dirs, [dir]);
});

test("everything that is wrong with inputs is told at once", async () => {
  const inputs: readonly TypedInput[] = [
    { kind: "string", text: "=x" },
    { kind: "file", text: "t=binary" },
    { kind: "dir", text: "src=" },
    { kind: "git", text: "g=a#b,c" },
    { kind: "yaml", text: "text" },
    { kind: "string", text: "twice=1" },
    { kind: "string", text: "twice=2" },
  ];
  await assert.rejects(readTypedInputs(inputs, dir, ["other"]), (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.deepEqual(
      error.diagnostics.map(({ code }) => code),
      ["bad-input-flag", "input-file-not-found", "local-not-found", "bad-input-flag", "bad-input-data", "duplicate-input"],
    );
    return true;
  });
});
