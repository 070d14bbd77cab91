// The bundle's two halves (tools/split.mjs): what usual runs use lies in the one that every run reads.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const bundled = join(import.meta.dirname, "../../dist/dagger");

test("the runs that the bundle's code is compiled for load one half of it", () => {
  // Training (tools/train.mjs) runs images of here and of registries, recorded or not, and keeps the code of every file that they load.
  const halves = readdirSync(bundled).filter((name) => /^(dagger|rest)-\w+\.cjs\.code$/.test(name));
  const [usual = "", ...more] = halves;
  assert.match(usual, /^dagger-/);
  assert.deepEqual(more, [], "name what they import in tools/split.mjs");
});
