// Starts a private, real S3 server (versitygw, over a directory) for a test, and leaves nothing of it behind.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./registry.ts";

export interface S3Server {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Makes a bucket; gives the directory that its objects lie in. */
  bucket(name: string): string;
  /** Stops the process as SIGSTOP does: it keeps its connections and says nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL("../../dist/bin/versitygw", import.meta.url));

/** Needs what `make s3` builds. Its region is us-east-1. */
export async function startS3(): Promise<S3Server> {
  if (!fs.existsSync(program)) throw new Error(`${program} is missing: run make s3`);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-s3-"));
  const root = path.join(dir, "root");
  fs.mkdirSync(root);
  const keys = { accessKey: "AKIATESTACCESSKEY", secretKey: "s3cret/Key+with=signs" };
  const port = await freePort();
  const log = fs.openSync(path.join(dir, "log"), "a");
  const args = [
    "--port",
    `127.0.0.1:${port}`,
    "--access",
    keys.accessKey,
    "--secret",
    keys.secretKey,
    "--health",
    "/health",
    "posix",
    root,
  ];
  const child = spawn(program, args, { stdio: ["ignore", log, log], cwd: dir });
  fs.closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const killNow = (): void => void child.kill("SIGKILL");
  process.once("exit", killNow);
  const stop = async (): Promise<void> => {
    killNow();
    await ended;
    process.removeListener("exit", killNow);
    fs.rmSync(dir, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null || child.pid === undefined) {
      const text = fs.readFileSync(path.join(dir, "log"), "utf8");
      await stop();
      throw new Error(`versitygw did not come up:\n${text}`);
    }
    await sleep(20);
  }
  return {
    url,
    ...keys,
    bucket: (name) => {
      fs.mkdirSync(path.join(root, name));
      return path.join(root, name);
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    stop,
  };
}
