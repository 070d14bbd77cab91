// Runs the real dagger for end-to-end tests, on a real buildkitd and an image store of its own.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { busyboxLayout } from "../support/images.ts";

export const repository: string = fileURLToPath(new URL("../..", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A daemon, an image store with busybox, and a temporary directory, for one test file. */
export interface Bench {
  readonly daemon: TestDaemon;
  readonly dir: string;
  /** Runs `bin/dagger`; more variables may be given, e.g. another BUILDKIT_HOST. */
  dagger(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>;
  end(): Promise<void>;
}

/** Runs `bin/dagger` in `cwd` with this environment and no more. */
export function runDagger(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(join(repository, "bin/dagger"), args, { cwd, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

export async function startBench(): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), "e2e-"));
  const daemon = await startBuildkitd();
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: dir,
    DAGGER_DATA_DIR: join(dir, "data"),
    NO_COLOR: "1",
    BUILDKIT_HOST: daemon.address,
  };
  const dagger: Bench["dagger"] = (args, env = {}) => runDagger(args, dir, { ...base, ...env });
  const end = async (): Promise<void> => {
    await daemon.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  const image = await busyboxLayout();
  const imported = await dagger(["image", "import", "docker.io/library/busybox:latest", image.dir]);
  if (imported.code !== 0) {
    await end();
    throw new Error(`cannot import the test image:\n${imported.stderr}`);
  }
  return { daemon, dir, dagger, end };
}
