// The patch applies to the pinned CUE, and refuses a CUE that it was not made for.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const tools = fileURLToPath(new URL("..", import.meta.url));
const shareFile = "internal/core/adt/share.go";

function patch(...args: string[]): { status: number | null; stderr: string } {
  return spawnSync("go", ["run", "./cue-patch", ...args], { cwd: tools, encoding: "utf8" });
}

function inTemp(use: (dir: string) => void): void {
  const dir = mkdtempSync(path.join(tmpdir(), "cue-patch-"));
  try {
    use(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("the patched copy has the changed condition and the added files", () => {
  inTemp((dir) => {
    const to = path.join(dir, "src");
    const done = patch("-to", to);
    assert.equal(done.status, 0, done.stderr);
    assert.match(readFileSync(path.join(to, shareFile), "utf8"), /&& !n\.mayShareOpen\(arc\) \{/);
    assert.match(readFileSync(path.join(to, "internal/core/adt/context.go"), "utf8"), /evalStateCI\(.*\{\n\ttick\(\)/);
    assert.ok(existsSync(path.join(to, "access/vertex.go")));
    assert.ok(!existsSync(path.join(to, "internal/core/adt/share_test.go")));
  });
});

for (const [what, text] of [
  ["is missing", "package adt\n"],
  [
    "is there twice",
    "package adt\n// if n.node.ClosedRecursive && !arc.ClosedRecursive {\n// if n.node.ClosedRecursive && !arc.ClosedRecursive {\n",
  ],
] as const) {
  test(`a source where the text to replace ${what} is refused, and nothing is left behind`, () => {
    inTemp((dir) => {
      const files = path.join(dir, "files");
      mkdirSync(path.join(files, path.dirname(shareFile)), { recursive: true });
      writeFileSync(path.join(files, shareFile), text);
      const to = path.join(dir, "src");
      const done = patch("-to", to, "-files", files);
      assert.equal(done.status, 1);
      assert.match(done.stderr, /expected once/);
      assert.ok(!existsSync(to));
    });
  });
}
