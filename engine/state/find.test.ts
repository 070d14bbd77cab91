// Values in what an environment gave: which run gave them, also where they lie inside of lists.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json, Output } from "../store/index.ts";
import { findValue } from "./find.ts";

test("a value belongs to the run that gave its component, in structs and in lists", () => {
  const outputs = [
    given("", "whole", 1, { app: { hosts: ["a", "b"], port: 80 }, apps: [{ url: "old" }] }),
    given("app", "part", 2, { hosts: ["c"], port: 81 }),
    given("apps[0]", "item", 3, { url: "new" }),
    given("listed", "list", 4, ["x", { y: 1 }]),
  ];
  const found = (path: string): unknown => findValue(outputs, path);
  assert.deepEqual(found("app.port"), { value: 81, run: "part" });
  assert.deepEqual(found("app.hosts[0]"), { value: "c", run: "part" });
  assert.deepEqual(found("apps[0].url"), { value: "new", run: "item" });
  assert.deepEqual(found("listed[0]"), { value: "x", run: "list" });
  assert.deepEqual(found("listed[1].y"), { value: 1, run: "list" });
  assert.deepEqual(found("apps"), { value: [{ url: "new" }], run: "whole" });
  assert.equal(found("listed[2]"), undefined);
});

test("what names an image or a directory is found by its fields, and a config that looks like one is a value", () => {
  const outputs = [
    given("image", "pushed", 1, { ref: "example.org/a:1", digest: "sha256:1" }),
    given("images[1]", "second", 2, { ref: "example.org/b:1", digest: "sha256:2" }),
  ];
  assert.deepEqual(findValue(outputs, "image.digest"), { value: "sha256:1", run: "pushed" });
  assert.deepEqual(findValue(outputs, "images[1].ref"), { value: "example.org/b:1", run: "second" });
  assert.deepEqual(findValue([given("", "whole", 1, { dest: "x" })], "dest"), { value: "x", run: "whole" });
});

function given(component: string, run: string, time: number, value: Json): Output {
  return { stack: "s", env: "e", component, value, provenance: {}, run, time, token: 0 } as Output;
}
