// The lock between processes: one at a time, freed when its holder is killed, given up when the waiter is told to.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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

test("the helper gets none of this process's variables but the path", async () => {
  const bin = join(dir, "bin");
  const seen = join(dir, "seen");
  const before = process.env["PATH"];
  await mkdir(bin);
  await writeFile(join(bin, "flock"), `#!/bin/sh\nenv > ${seen}\nPATH="${before}" exec flock "$@"\n`, { mode: 0o755 });
  process.env["PATH"] = `${bin}:${before}`;
  process.env["A_SECRET_OF_THIS_PROCESS"] = "hush";
  try {
    await withLock(join(dir, "bare"), () => Promise.resolve());
  } finally {
    process.env["PATH"] = before;
    delete process.env["A_SECRET_OF_THIS_PROCESS"];
  }
  const names = (await readFile(seen, "utf8")).split("\n").map((line) => line.replace(/=.*/, ""));
  // The shell that tells them sets some of its own.
  assert.deepEqual(
    names.filter((name) => !["", "_", "PWD", "OLDPWD", "SHLVL"].includes(name)),
    ["PATH"],
  );
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
