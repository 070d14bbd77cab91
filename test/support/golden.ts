// Compares a text with a golden file; UPDATE=1 writes the file instead, and its diff is read before it is committed.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** `file` is absolute, or relative to the working directory. */
export function golden(file: string, actual: string): void {
  if (process.env["UPDATE"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  let expected: string;
  try {
    expected = readFileSync(file, "utf8");
  } catch {
    assert.fail(`${file} does not exist; UPDATE=1 writes it`);
  }
  assert.equal(actual, expected, `${file} differs; if the change is wanted, UPDATE=1 rewrites it`);
}
