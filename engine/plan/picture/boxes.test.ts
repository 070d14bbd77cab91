// Which box parts are drawn in.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Part } from "../../../compiler/index.ts";
import { boxesOf } from "./boxes.ts";

function part(path: string, box = false): Part {
  return { path, doc: "", box, state: "built", needs: [] };
}

test("a part is drawn in the outermost component around it, and struct names are no components", () => {
  const boxes = boxesOf([part("app"), part("app.outputs.a"), part("app._ran"), part("group.one"), part("apple")], () => true);
  assert.deepEqual(Object.fromEntries(boxes), {
    app: "app",
    "app.outputs.a": "app",
    "app._ran": "app",
    "group.one": "group.one",
    apple: "apple",
  });
});

test("a component with boxes inside is drawn only when it has something of its own; its other parts are not", () => {
  const parts = [part("all"), part("all._shared"), part("all.one", true), part("all.one.outputs.a"), part('all.list[0]."x.y"', true)];
  const expected = { "all._shared": null, "all.one": "all.one", "all.one.outputs.a": "all.one", 'all.list[0]."x.y"': 'all.list[0]."x.y"' };
  assert.deepEqual(Object.fromEntries(boxesOf(parts, () => false)), { all: null, ...expected });
  assert.deepEqual(Object.fromEntries(boxesOf(parts, () => true)), { all: "all", ...expected });
});

test("the root is a component beside all others", () => {
  const boxes = boxesOf([part(""), part("app")], () => true);
  assert.deepEqual(Object.fromEntries(boxes), { "": "", app: "app" });
});
