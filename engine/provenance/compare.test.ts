// What has changed between two looks at the components of a job.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, type Snapshot } from "./compare.ts";
import type { ComponentFacts } from "./facts.ts";

test("a component that waited for a value, also for an item of a list, is told that its giver has changed", async () => {
  for (const waited of ["base", "base.port", "base[0]", "base[0].name"]) {
    const changes = await compare("app", snapshot("1", waited), snapshot("2", waited));
    assert.deepEqual(
      changes.map(({ path, changes: all }) => [path, all.map(({ kind }) => kind)]),
      [
        ["app", ["component"]],
        ["base", ["source"]],
      ],
      waited,
    );
  }
  assert.deepEqual(await compare("app", snapshot("1", "based"), snapshot("2", "based")), []);
});

function snapshot(digest: string, waited: string): Snapshot {
  const one = (path: string, more: Partial<ComponentFacts>): ComponentFacts => ({
    ...{ path, ops: [], uses: [], waited: [], sources: {}, always: [] },
    ...more,
  });
  const components = [one("base", { sources: { "image a": `sha256:${digest}` } }), one("app", { waited: [waited] })];
  return { components, files: () => Promise.resolve(undefined) };
}
