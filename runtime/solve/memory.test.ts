// Memory stays flat however large the files are: a gigabyte goes up and comes back in a process that is watched.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startBuildkitd } from "../../test/support/buildkitd.ts";

const child = fileURLToPath(new URL("../../test/support/transfer-child.ts", import.meta.url));

/** Most memory, in bytes, of a process that sends and receives one file of `size` bytes. */
async function peak(address: string, base: string, size: number): Promise<number> {
  const dir = path.join(base, `in-${size}`);
  const dest = path.join(base, `out-${size}`);
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, "file"), "");
  fs.truncateSync(path.join(dir, "file"), size);
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, address, dir, dest]);
  assert.equal(fs.statSync(path.join(dest, "file")).size, size);
  fs.rmSync(dest, { recursive: true });
  return Number(stdout);
}

test("a gigabyte up and down takes less than 96 MiB more memory than a kilobyte", async () => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-memory-"));
  const daemon = await startBuildkitd();
  try {
    const small = await peak(daemon.address, base, 1024);
    const large = await peak(daemon.address, base, 1 << 30);
    assert.ok(large - small < 96 << 20, `${Math.round((large - small) / (1 << 20))} MiB more`);
  } finally {
    await daemon.stop();
    fs.rmSync(base, { recursive: true, force: true });
  }
});
