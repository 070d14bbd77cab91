// Starts a private, real buildkitd for a test, and leaves nothing of it behind.
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cgroupParent, clearLeftovers } from "../../runtime/daemon/leftovers.ts";
import { answers } from "../../runtime/daemon/process.ts";

/** A daemon of its own. `address` is what --buildkit takes. */
export interface TestDaemon {
  readonly address: string;
  /** The temporary directory with everything of it: `buildkitd.sock`, `buildkitd.log`, `root/`. */
  readonly dir: string;
  readonly pid: number;
  /** What it logged so far. */
  log(): Promise<string>;
  /** Kills it at once (as a crash), leaving its directory; `stop` is still needed. */
  kill(): Promise<void>;
  /** Ends it and removes its directory. May be called twice. */
  stop(): Promise<void>;
}

export interface TestDaemonOptions {
  /** Lines added to buildkitd.toml. */
  readonly config?: string;
  /** More command line flags. */
  readonly args?: readonly string[];
  /**
   * It collects garbage, as daemons do. Not in tests: a second after its start, and after solves, it would look at its disk, and a step that
   * begins at that moment gets a new cache mount in place of the one that is being looked at (BuildKit's cache manager: `DiskUsage` locks it).
   */
  readonly collects?: boolean;
}

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A binary that `make daemon` built: `buildkitd` or `buildctl`. Fails when it is not there: a test never skips. */
export function builtBinary(name: "buildkitd" | "buildctl" | "dockerfile-frontend"): string {
  const path = join(repository, "dist/bin", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run make daemon`);
  return path;
}

/** Starts buildkitd on a unix socket in a temporary directory and waits until it answers. Needs root and runc. */
export async function startBuildkitd(options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-buildkitd-"));
  const socket = join(dir, "buildkitd.sock");
  const logFile = join(dir, "buildkitd.log");
  const root = join(dir, "root");
  const temporary = join(dir, "tmp");
  await mkdir(temporary);
  await writeFile(join(dir, "buildkitd.toml"), daemonConfig(dir, root, options));
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(
    builtBinary("buildkitd"),
    ["--config", join(dir, "buildkitd.toml"), "--root", root, "--addr", `unix://${socket}`, ...(options.args ?? [])],
    { stdio: ["ignore", log, log], detached: true, cwd: "/", env: { ...process.env, TMPDIR: temporary } },
  );
  closeSync(log);
  child.unref();
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`cannot start ${builtBinary("buildkitd")}`);
  // A test process that ends early takes its daemon with it.
  const killNow = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  };
  process.once("exit", killNow);
  const readLog = (): Promise<string> => readFile(logFile, "utf8").catch(() => "");
  const kill = async (): Promise<void> => {
    killNow();
    await ended;
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const late = new AbortController();
    const graceful = await Promise.race([ended.then(() => true), sleep(10_000, false, { signal: late.signal })]);
    late.abort();
    if (!graceful) await kill();
    process.removeListener("exit", killNow);
    await clearLeftovers(root, temporary);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitForSocket(socket, () => child.exitCode === null && child.signalCode === null);
  } catch (error) {
    const text = await readLog();
    await stop();
    throw new Error(`buildkitd did not come up:\n${text}`, { cause: error });
  }
  return { address: `unix://${socket}`, dir, pid, log: readLog, kill, stop };
}

// OTEL's socket would otherwise lie in /run/buildkit and be shared by all daemons of the machine.
function daemonConfig(dir: string, root: string, { config = "", collects = false }: TestDaemonOptions): string {
  return `insecure-entitlements = ["network.host", "security.insecure"]
[otel]
  socketPath = ${JSON.stringify(join(dir, "otel.sock"))}
[worker.oci]
  gc = ${collects}
  defaultCgroupParent = ${JSON.stringify(cgroupParent(root))}
${config}`;
}

/** Waits until a daemon serves on a unix socket. Rejects after a minute, or as soon as `alive` says that nobody ever will. */
export async function waitForSocket(path: string, alive: () => boolean = () => true): Promise<void> {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    if (await answers(path)) return;
    if (!alive()) throw new Error("the process ended");
    await sleep(20);
  }
  throw new Error(`nobody listens on ${path}`);
}
