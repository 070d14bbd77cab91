// Names in other systems.
import assert from "node:assert/strict";
import { test } from "node:test";
import { labelOf, nodeName, partsOf } from "./names.ts";

test("a name is a label of host names, and what belongs to it has room for more", () => {
  assert.equal(nodeName("projectA.recipes.build"), "projecta-recipes-build");
  const long = nodeName("a".repeat(200));
  assert.equal(long.length, 48);
  for (const part of Object.values(partsOf(long))) assert.ok(part.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(part), part);
});

test("long names that differ at their ends stay different", () => {
  const common = "steps.of.a.very.long.pipeline.that.has.more.than.sixty.three.characters";
  assert.notEqual(labelOf(`${common}.one`), labelOf(`${common}.two`));
  assert.match(labelOf(`${common}.one`), /^steps-of-a-very-long-.*-[0-9a-f]{8}$/);
});
