// What of a real directory counts as changed.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Trees } from "./trees.ts";

const root = mkdtempSync(join(tmpdir(), "trees-"));
after(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
/** A directory with these files, watched without what is called *.tmp. */
async function watched(files: Readonly<Record<string, string>>): Promise<{ dir: string; trees: Trees; changed: () => Promise<string[]> }> {
  const dir = join(root, String(++count));
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const trees = new Trees();
  trees.add("key", { name: "src", dir, include: [], exclude: ["*.tmp"], follow: [] });
  await trees.settle();
  const changed = async (): Promise<string[]> =>
    (await trees.changes()).flatMap(({ paths }) => paths.map((path) => path.slice(dir.length + 1)));
  return { dir, trees, changed };
}

test("what is written again with the same contents is no change, nor is what is excluded", async () => {
  const { dir, changed } = await watched({ a: "1", b: "2" });
  writeFileSync(join(dir, "a"), "1");
  utimesSync(join(dir, "b"), 1, 1);
  writeFileSync(join(dir, "x.tmp"), "x");
  assert.deepEqual(await changed(), []);
  writeFileSync(join(dir, "a"), "other");
  assert.deepEqual(await changed(), ["a"]);
  assert.deepEqual(await changed(), [], "a change is told once");
});

test("files that come, go, are renamed over others or are links elsewhere are changes", async () => {
  const { dir, changed } = await watched({ a: "1", b: "2" });
  writeFileSync(join(dir, "new"), "n");
  rmSync(join(dir, "b"));
  assert.deepEqual(await changed(), ["b", "new"]);
  writeFileSync(join(dir, "a.tmp"), "saved by an editor");
  renameSync(join(dir, "a.tmp"), join(dir, "a"));
  assert.deepEqual(await changed(), ["a"]);
  symlinkSync("a", join(dir, "link"));
  assert.deepEqual(await changed(), ["link"]);
  rmSync(join(dir, "link"));
  symlinkSync("new", join(dir, "link"));
  assert.deepEqual(await changed(), ["link"]);
});

test("a directory that disappears loses its files, and comes back as it is then", async () => {
  const { dir, changed } = await watched({ a: "1" });
  renameSync(dir, `${dir}-away`);
  assert.deepEqual(await changed(), ["a"]);
  renameSync(`${dir}-away`, dir);
  assert.deepEqual(await changed(), ["a"]);
});

test("what a run saved is no change, until somebody else changes it", async () => {
  const { dir, trees, changed } = await watched({ a: "1" });
  mkdirSync(join(dir, "out"));
  writeFileSync(join(dir, "out/result"), "r");
  trees.wrote([join(dir, "out")]);
  assert.deepEqual(await changed(), []);
  appendFileSync(join(dir, "out/result"), "more");
  assert.deepEqual(await changed(), ["out/result"]);
  assert.equal(trees.isWritten(join(dir, "out/result")), true);
});

test("the state of the workspace and results on their way are no files of anybody", async () => {
  const { dir, changed } = await watched({ a: "1" });
  mkdirSync(join(dir, ".dagger/state"), { recursive: true });
  writeFileSync(join(dir, ".dagger/state/store.db"), "x");
  mkdirSync(join(dir, ".dagger-save-1-2"));
  writeFileSync(join(dir, ".dagger-save-1-2/f"), "x");
  assert.deepEqual(await changed(), [".dagger"]);
});
