// Loops of runs: found, told once, broken, forgotten.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Loops } from "./loops.ts";

const saver = (path: string): string | undefined => (path.startsWith("/out/") ? "site" : undefined);

test("what somebody changes again and again after it was saved is a loop, told once with the component and the file", () => {
  const loops = new Loops();
  for (let i = 0; i < 3; i++) assert.deepEqual(loops.sift(["/out/a"], saver), { paths: ["/out/a"], found: [] });
  assert.deepEqual(loops.sift(["/out/a"], saver), { paths: [], found: [{ what: "/out/a", component: "site" }] });
  assert.deepEqual(loops.sift(["/out/a"], saver), { paths: [], found: [] });
});

test("another file that changes ends the count, and lets a broken loop begin runs again", () => {
  const loops = new Loops();
  for (let i = 0; i < 3; i++) loops.sift(["/out/a"], saver);
  assert.deepEqual(loops.sift(["/src/b", "/out/a"], saver), { paths: ["/src/b", "/out/a"], found: [] });
  for (let i = 0; i < 3; i++) assert.deepEqual(loops.sift(["/out/a"], saver).paths, ["/out/a"]);
  assert.deepEqual(loops.sift(["/out/a"], saver).paths, []);
  assert.deepEqual(loops.sift(["/src/b"], saver).paths, ["/src/b"]);
  assert.deepEqual(loops.sift(["/out/a"], saver).paths, ["/out/a"]);
});
