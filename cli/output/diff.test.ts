// Differences as `diff -u` writes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { unifiedDiff } from "./diff.ts";

test("changes are shown with three lines around them, and far ones in hunks of their own", () => {
  const before = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", ""].join("\n");
  const after = ["a", "B", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"].join("\n");
  assert.equal(
    unifiedDiff("x.cue", before, after),
    `--- x.cue.orig
+++ x.cue
@@ -1,5 +1,5 @@
 a
-b
+B
 c
 d
 e
@@ -10,3 +10,4 @@
 j
 k
 l
+m
\\ No newline at end of file
`,
  );
});

test("texts that are the same have no difference", () => {
  assert.equal(unifiedDiff("x", "a\nb\n", "a\nb\n"), "");
  assert.equal(unifiedDiff("x", "", ""), "");
});

test("an empty text, before or after, is a difference of all lines", () => {
  assert.equal(unifiedDiff("x", "", "a\n"), "--- x.orig\n+++ x\n@@ -0,0 +1 @@\n+a\n");
  assert.equal(unifiedDiff("x", "a\nb\n", ""), "--- x.orig\n+++ x\n@@ -1,2 +0,0 @@\n-a\n-b\n");
});

/** Does what patch does. */
function patched(before: string, diff: string): string {
  const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let [at, out] = [0, ""];
  for (const line of diff.match(/[^\n]*\n/g) ?? []) {
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+/.exec(line);
    if (hunk) while (at < Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1)) out += old[at++];
    else if (line.startsWith("\\")) out = out.replace(/\n$/, "");
    else if (line.startsWith("+") && !line.startsWith("+++ ")) out += line.slice(1);
    else if (line.startsWith("-") && !line.startsWith("--- ")) at++;
    else if (line.startsWith(" ")) {
      assert.equal(line.slice(1), old[at]);
      out += old[at++];
    }
  }
  return out + old.slice(at).join("");
}

test("a difference makes the one text of the other, also where too much has changed to look for the shortest", () => {
  let state = 1;
  const random = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const text = (lines: number, words: number): string => Array.from({ length: lines }, () => `${random(words)}\n`).join("");
  for (let round = 0; round < 300; round++) {
    const [before, after] = [text(random(30), 4), text(random(30), 4)];
    assert.equal(patched(before, unifiedDiff("x", before, after)), after);
  }
  const [before, after] = [text(1500, 1e6), text(1500, 1e6)];
  assert.equal(patched(before, unifiedDiff("x", before, after)), after);
});
