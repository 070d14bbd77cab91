// What doctor finds, on this machine and with an address where no daemon is.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { doctor } from "./doctor.ts";

test("an address without a daemon is a failed check with what to do", async () => {
  const dir = mkdtempSync(join(tmpdir(), "dagger-doctor-"));
  try {
    const address = `unix://${join(dir, "none.sock")}`;
    for (const request of [{ env: {}, buildkit: address }, { env: { BUILDKIT_HOST: address } }]) {
      const check = (await doctor({ ...request, cwd: dir })).find(({ name }) => name === "BuildKit");
      assert.equal(check?.ok, false);
      assert.match(check?.detail ?? "", /none\.sock/);
      assert.notEqual(check?.fix ?? "", "");
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("without a daemon, what the embedded one needs is checked, and nothing is started or made", async () => {
  const home = mkdtempSync(join(tmpdir(), "dagger-doctor-"));
  try {
    const env = { HOME: home, DAGGER_BUILDKITD: join(home, "none"), DAGGER_CACHE_DIR: join(home, "cache") };
    const checks = await doctor({ env, cwd: home });
    assert.equal(checks.find(({ name }) => name === "Node.js")?.ok, true);
    const buildkitd = checks.find(({ name }) => name === "buildkitd");
    // A machine whose own buildkitd answers needs no embedded one.
    if (buildkitd !== undefined) {
      assert.equal(buildkitd.ok, false);
      assert.match(buildkitd.detail, /DAGGER_BUILDKITD/);
    }
    assert.equal(existsSync(join(home, "cache")), false);
    for (const { ok, fix } of checks) assert.equal(ok, fix === undefined);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
