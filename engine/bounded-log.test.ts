// The log of a process in the background keeps its size.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BoundedLog } from "./bounded-log.ts";

test("a log stays below twice its limit, whatever is written, and ends with what came last", () => {
  const dir = mkdtempSync(join(tmpdir(), "log-"));
  try {
    const log = new BoundedLog(join(dir, "log"), 1000);
    for (let i = 0; i < 500; i++) log.write(`line ${i} of many\n`);
    assert.deepEqual(readdirSync(dir).sort(), ["log", "log.1"]);
    for (const name of readdirSync(dir)) assert.ok(statSync(join(dir, name)).size <= 1000);
    const text = readFileSync(join(dir, "log.1"), "utf8") + readFileSync(join(dir, "log"), "utf8");
    assert.match(text, /line 498 of many\nline 499 of many\n$/);
    // Who begins again goes on with what is there.
    new BoundedLog(join(dir, "log"), 1000).write("last\n");
    assert.match(readFileSync(join(dir, "log"), "utf8"), /(^|\n)last\n$/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
