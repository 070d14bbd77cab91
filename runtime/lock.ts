// A lock between processes that the kernel frees when its holder dies: flock(2), held by a helper process tied to this one.
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../compiler/diagnostic.ts";

// The helper says "locked" and then waits for the end of its standard input: it ends when we close it, or die.
const script = "echo locked; exec cat >/dev/null";

/**
 * Runs `work` while this process holds the lock on `file` (made when missing, never removed). Waits for as long as another
 * process holds it, unless `signal` aborts. Not reentrant.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const release = await acquire(file, signal);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(file: string, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  signal?.throwIfAborted();
  // Node has no flock: util-linux (or busybox) has it on Linux, lockf is the same on macOS and the BSDs.
  const command = process.platform === "linux" ? "flock" : "lockf";
  const args = [...(command === "lockf" ? ["-k"] : []), file, "sh", "-c", script];
  // In a session of its own, so that Ctrl-C in the terminal does not free the lock while we still clean up.
  // It gets no more of this process's environment, which may hold secrets, than it takes to be found.
  const env = { PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin" };
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"], detached: true, env });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const onAbort = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("error", (cause: NodeJS.ErrnoException) => reject(cannotLock(file, `${command} did not start`, cause)));
      child.once("exit", (code) => reject(cannotLock(file, `${command} ended with ${String(code)}`)));
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  return async () => {
    // A helper that was killed meanwhile has closed its end already.
    child.stdin.on("error", () => undefined);
    child.stdin.end();
    await ended;
  };
}

function cannotLock(file: string, why: string, cause?: unknown): UserError {
  const hint =
    process.platform === "linux"
      ? "Install the package util-linux, and check that the directory is writable"
      : "Check that the directory is writable";
  return new UserError(3, [{ code: "lock-failed", message: `Cannot lock ${file}: ${why}`, at: [], hint }], { cause });
}
