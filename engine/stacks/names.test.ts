// Names and slugs of stacks and environments.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkName, isSlug, slugOf } from "./names.ts";

for (const [name, slug] of [
  ["Web Shop (EU)", "web-shop-eu"],
  ["Größe/Straße", "grosse-strasse"],
  ["--x--", "x"],
  ["../../etc", "etc"],
  ["a".repeat(62) + "-b", "a".repeat(62)],
  ["日本", ""],
] as const)
  test(`${name.slice(0, 20)} has a slug that is safe in paths and addresses, the same each time`, () => {
    const made = slugOf(name);
    if (!made.startsWith("s-")) assert.equal(made, slug);
    assert.ok(isSlug(made), made);
    assert.equal(slugOf(name), made);
  });

test("names that share a slug get numbers, also where a slug is as long as it may be", () => {
  const taken = new Set<string>();
  for (let count = 0; count < 12; count++) taken.add(slugOf("a".repeat(80), taken));
  assert.equal(taken.size, 12);
  for (const slug of taken) assert.ok(isSlug(slug), slug);
});

test("names that would not show, or read as flags, are refused", () => {
  for (const name of ["", " ", " a", "a ", "-a", "a\nb", "a\u202eb", "a".repeat(201)])
    assert.throws(() => checkName(name, "stack"), /Cannot call a stack/);
  assert.equal(checkName("Web Shop (EU)", "stack"), "Web Shop (EU)");
});
