// The lock between processes: one at a time, freed when its holder is killed, given up when the waiter is told to.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../compiler/diagnostic.ts";
import { withLock } from "./lock.ts";

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), "dagger-lock-"));
});
after(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A process that takes the lock, says so, and keeps it. */
async function holder(file: string): Promise<{ kill: () => void }> {
  const module = new URL("./lock.ts", import.meta.url).href;
  const script = `
    const { withLock } = await import(${JSON.stringify(module)});
    await withLock(${JSON.stringify(file)}, () => new Promise(() => { console.log("held"); setInterval(() => {}, 1000); }));`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return { kill: () => void child.kill("SIGKILL") };
}

test("two holders never overlap, and the lock is free after an error", async () => {
  const file = join(dir, "deep/lock");
  let inside = 0;
  const work = async (): Promise<void> => {
    assert.equal(++inside, 1);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    throw new Error("done");
  };
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => withLock(file, work)));
  assert.ok(results.every((result) => result.status === "rejected" && String(result.reason) === "Error: done"));
  assert.equal(await withLock(file, () => Promise.resolve(7)), 7);
});

test("a holder that is killed frees the lock", async () => {
  const file = join(dir, "killed");
  const other = await holder(file);
  let got = false;
  const waiting = withLock(file, () => {
    got = true;
    return Promise.resolve();
  });
  assert.equal(got, false);
  other.kill();
  await waiting;
});

test("a waiter gives up when it is aborted, and the lock stays with its holder", async () => {
  const file = join(dir, "held");
  const other = await holder(file);
  try {
    const abort = new AbortController();
    const waiting = withLock(file, () => assert.fail("not ours"), abort.signal);
    abort.abort();
    await assert.rejects(waiting, { name: "AbortError" });
  } finally {
    other.kill();
  }
});

test("a lock that cannot be made is an error with its name", async () => {
  await writeFile(join(dir, "file"), "");
  await assert.rejects(
    withLock("/proc/nowhere-to-lock", () => Promise.resolve()),
    (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exit, 3);
      assert.match(error.message, /^Cannot lock \/proc\/nowhere-to-lock: /);
      return true;
    },
  );
});
