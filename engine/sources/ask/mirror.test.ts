// What becomes of git when a run is interrupted.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { at } from "../../workspace/find.ts";
import type { Source } from "../source.ts";
import { inRepository } from "./mirror.ts";

test("git that had ended by itself when the run was interrupted, while its output is still open, ends the wait for it", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "mirror-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const bin = join(dir, "bin");
  mkdirSync(bin);
  // Another process has its output for a while, as helpers of git do.
  writeFileSync(join(bin, "git"), `#!/bin/sh\nsleep 2 &\necho $$ > ${dir}/ran\n`);
  chmodSync(join(bin, "git"), 0o755);
  const stop = new AbortController();
  const source: Source = { name: "app", kind: "git", location: "https://example.com/app.git" };
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: dir };
  const scope = { env, cwd: dir, signal: stop.signal, workspace: at(dir) };
  const work = inRepository(join(dir, "mirror"), source, scope as unknown as Parameters<typeof inRepository>[2], async () => "done");
  const outcome = work.then(
    () => "done",
    (error: { exit?: number }) => error.exit,
  );
  await sleep(1000);
  stop.abort();
  assert.equal(await Promise.race([outcome, sleep(20_000, "never", { ref: false })]), 130);
});
