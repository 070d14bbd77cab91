// Module files that dagger writes: the real cue finds nothing to format in them, and reads the same data from them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cue, writeTree } from "../../test/support/cue.ts";
import { formatCue } from "./module-text.ts";

const work = mkdtempSync(join(tmpdir(), "module-text-"));
after(() => rmSync(work, { recursive: true, force: true }));

for (const [what, data] of [
  ["a new module", { module: "example.com/a@v0", language: { version: "v0.17.0" }, source: { kind: "self" } }],
  [
    "dependencies, one of them by default",
    {
      module: "example.com/a@v1",
      language: { version: "v0.17.0" },
      deps: { "example.com/b@v0": { v: "v0.1.0", default: true }, "example.com/longer/c@v2": { v: "v2.0.0-rc.1" } },
    },
  ],
  ["replacements", { deps: { "example.com/b@v0": { v: "v0.1.0", replaceWith: "./cue.mod/vendor/example.com/b@v0" } } }],
  [
    "what tools keep there, with text that needs care",
    {
      description: 'a "quoted" \\(text): \u00e9\ttab\nline',
      custom: { "example.com/tool": { "a: b": [1, true, null, { c: [] }], yes: { deep: "x" }, flat: { "d: e": 1, f: "x" } } },
    },
  ],
] as const)
  test(`${what}: cue has nothing to format, and reads what was written`, async () => {
    const dir = writeTree(work, { "a.cue": formatCue(data) });
    await cue(dir, { HOME: work }, "fmt", "--check", "a.cue");
    assert.deepEqual(JSON.parse(await cue(dir, { HOME: work }, "export", "a.cue")), data);
  });

test("structs with nothing in them are left out", () => {
  assert.equal(formatCue({ module: "example.com/a@v0", deps: {} }), 'module: "example.com/a@v0"\n');
});
