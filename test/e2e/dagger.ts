// Runs the real dagger for end-to-end tests, on a real buildkitd and an image store of its own.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { builtBinary, startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
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
  /** Empties the cache of the daemon. */
  prune(): Promise<void>;
  end(): Promise<void>;
}

/** Runs `bin/dagger` in `cwd` with this environment and no more; with what comes before it on its command line, such as `enter` of a network. */
export function runDagger(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  before: readonly string[] = [],
): Promise<Outcome> {
  const [program = "", ...all] = [...before, join(repository, "bin/dagger"), ...args];
  return new Promise((resolve) => {
    execFile(program, all, { cwd, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

/** `daemonHistory`: runs are in the records of the daemon, as `untilIdle` needs. */
export async function startBench({ daemonHistory = false }: { readonly daemonHistory?: boolean } = {}): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), "e2e-"));
  const daemon = await startBuildkitd();
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: dir,
    DAGGER_DATA_DIR: join(dir, "data"),
    NO_COLOR: "1",
    BUILDKIT_HOST: daemon.address,
    ...(daemonHistory ? { DAGGER_DAEMON_HISTORY: "on" } : {}),
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
  const prune = async (): Promise<void> => {
    await buildctl(daemon, "prune", "--all");
  };
  return { daemon, dir, dagger, prune, end };
}

/** What BuildKit's own client says. */
export async function buildctl(daemon: TestDaemon, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(builtBinary("buildctl"), ["--addr", daemon.address, ...args], { maxBuffer: 1 << 28 })).stdout;
}

/** Waits until no build runs on the daemon; it enters the end of one into its records a moment after the client knows. */
export async function untilIdle(daemon: TestDaemon): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const histories = await buildctl(daemon, "debug", "histories", "--format", "{{json .}}");
    const records = histories.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as HistoryLine]));
    const running = records.flatMap(({ record }) => (record?.CompletedAt === undefined && record?.Ref !== undefined ? [record.Ref] : []));
    if (running.length === 0) return;
    if (Date.now() > until) throw new Error(`the daemon still runs ${running.join(", ")}`);
    await sleep(100);
  }
}

interface HistoryLine {
  readonly record?: { readonly Ref?: string; readonly CompletedAt?: unknown };
}
