// The limits of the embedded daemon's cache, and that buildkitd takes them over.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { builtBinary } from "../../test/support/buildkitd.ts";
import { cacheLimits } from "./config.ts";
import { ensureDaemon, stopDaemon } from "./daemon.ts";

test("a tenth of the disk is the cache's own, and 20 GB of a large one", () => {
  assert.deepEqual(cacheLimits(50e9), { reserved: 5e9, max: 15e9, minFree: 2.5e9 });
  assert.deepEqual(cacheLimits(4e12), { reserved: 20e9, max: 60e9, minFree: 10e9 });
});

test("buildkitd runs with the limits that were written for it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "dagger-config-"));
  const env = { PATH: process.env["PATH"], DAGGER_CACHE_DIR: dir };
  try {
    const { address } = await ensureDaemon({ env });
    const { stdout } = await promisify(execFile)(builtBinary("buildctl"), ["--addr", address, "debug", "workers", "--verbose"]);
    assert.match(stdout, /Maximum used space:/i);
    assert.match(stdout, /Reserved space:/i);
  } finally {
    await stopDaemon({ env });
    await rm(dir, { recursive: true, force: true });
  }
});
