// Directories are watched by the system itself: changes are told, and nothing is left behind when it ends.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NativeWatcher } from "./native.ts";

/** Processes that this one has started and not taken leave of, zombies included. */
function children(): string[] {
  return readdirSync("/proc/self/task").flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean),
  );
}

test("a change in a tree is told; watching starts no process, and trees can be watched again and again", {
  skip: process.platform !== "linux",
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "native-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const before = children();
  for (let round = 0; round < 3; round++) {
    let changes = 0;
    const watcher = new NativeWatcher({
      onChange: (count) => {
        changes += count;
      },
      onFail: (error) => assert.fail(String(error)),
    });
    await watcher.set([{ name: "", dir, include: [], exclude: [], follow: [] }], new Set());
    writeFileSync(join(dir, "file"), String(round));
    for (const end = Date.now() + 30_000; changes === 0; await sleep(20)) assert.ok(Date.now() < end, "no change was told");
    await watcher.close();
  }
  assert.deepEqual(children(), before);
});

test("what is to be watched after it was closed is not watched, and keeps no process from ending", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "native-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const watcher = new NativeWatcher({ onChange: () => undefined, onFail: (error) => assert.fail(String(error)) });
  const tree = { name: "", dir, include: [], exclude: [], follow: [] };
  await watcher.set([tree], new Set());
  const before = process.getActiveResourcesInfo().sort();
  await Promise.all([watcher.close(), watcher.set([tree], new Set([dir]))]);
  const after = process.getActiveResourcesInfo().sort();
  assert.ok(before.includes("Timeout"), before.join());
  assert.ok(!after.includes("Timeout") && !after.includes("FSEventWrap"), after.join());
});
