// The embedded buildkitd: started when it is needed, shared by all dagger processes of a user, stopped only when asked to.
import { spawn } from "node:child_process";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import { withLock } from "../lock.ts";
import { writeConfig } from "./config.ts";
import { clearLeftovers, clearTemporary } from "./leftovers.ts";
import { findBuildkitd, type Location, locate, onPath, searchPath } from "./location.ts";
import { logIsLong, logTail, readLog, rotateLog } from "./logs.ts";
import { answers, findProcess, forgetProcess, isRunning, recordProcess } from "./process.ts";
import { daemonRequirements, unmet } from "./requirements.ts";
import { endNamespaces, isRootless, rootlessArgs } from "./rootless.ts";

/** What every call takes: the environment says where the daemon lives (DAGGER_CACHE_DIR, …). */
export interface DaemonOptions {
  readonly env: Environment;
  readonly signal?: AbortSignal;
}

/** State of the embedded daemon. `since` is in milliseconds since 1970. */
export type DaemonStatus = { readonly dir: string; readonly log: string } & (
  | { readonly running: true; readonly address: string; readonly pid: number; readonly since: number; readonly ready: boolean }
  | { readonly running: false }
);

const readyWithin = 60_000;
// buildkitd lets running builds go on when it is told to end; they get this long.
const graceWithin = 3_000;
const stopWithin = 30_000;

/**
 * The address of the embedded daemon, which is started first when it does not run; `started` tells whether this call did.
 * However many processes call this at once, one daemon starts. Throws UserError (exit 3) when the machine lacks something
 * or the daemon does not come up.
 */
export async function ensureDaemon(options: DaemonOptions): Promise<{ address: string; started: boolean }> {
  const { env } = options;
  const location = locate(env);
  const running = { address: `unix://${location.socket}`, started: false };
  if (await answers(location.socket)) {
    if (await logIsLong(location)) await withLock(location.lock, () => rotateLog(location), options.signal);
    return running;
  }
  // What is missing is said before anything is made on disk.
  const missing = unmet(await daemonRequirements(env));
  if (missing.length > 0) throw new UserError(3, missing);
  await makeDir(location.dir);
  return withLock(
    location.lock,
    async () => {
      await rotateLog(location);
      // Another process may have started it while this one waited for the lock.
      if (await answers(location.socket)) return running;
      const found = await findProcess(location);
      if (found !== undefined) {
        // It is still coming up, and whoever started it is gone; or it hangs, and is replaced.
        if (await becomesReady(location, () => isRunning(found.pid), options.signal)) return running;
        await end(found.pid, "SIGKILL", stopWithin);
      }
      await start(location, env, options.signal);
      return { ...running, started: true };
    },
    options.signal,
  );
}

/** Whether it runs, and where its things are. Never starts it. */
export async function daemonStatus(options: DaemonOptions): Promise<DaemonStatus> {
  const location = locate(options.env);
  const base = { dir: location.dir, log: location.log };
  const found = await findProcess(location);
  if (found === undefined) return { ...base, running: false };
  return { ...base, running: true, address: `unix://${location.socket}`, ...found, ready: await answers(location.socket) };
}

/** Stops it: running builds are cancelled, mounts are taken down, its cache stays. False when it did not run. */
export async function stopDaemon(options: DaemonOptions): Promise<{ stopped: boolean }> {
  const location = locate(options.env);
  const there = await stat(location.dir).catch(() => undefined);
  if (there === undefined) return { stopped: false };
  return withLock(
    location.lock,
    async () => {
      const found = await findProcess(location);
      if (found !== undefined && !(await end(found.pid, "SIGTERM", graceWithin))) await end(found.pid, "SIGKILL", stopWithin);
      await clear(location);
      await forgetProcess(location);
      return { stopped: found !== undefined };
    },
    options.signal,
  );
}

/** Its log as it is now; with `follow`, also what is added until `signal` aborts. */
export function daemonLogs(options: DaemonOptions & { readonly follow?: boolean }): AsyncGenerator<Uint8Array> {
  return readLog(locate(options.env), { follow: options.follow ?? false, signal: options.signal });
}

async function start(location: Location, env: Environment, signal: AbortSignal | undefined): Promise<void> {
  const binary = await findBuildkitd(env);
  if (binary === undefined) throw new UserError(3, unmet(await daemonRequirements(env)));
  await clear(location);
  await forgetProcess(location);
  await makeDir(dirname(location.socket));
  await writeConfig(location);
  const log = await open(location.log, "a", 0o600);
  const logStart = (await log.stat()).size;
  // A session of its own: it outlives this process, and Ctrl-C in this terminal is not meant for it.
  const launch = await launchOf(binary, location, env);
  const child = spawn(launch.program, launch.args, {
    detached: true,
    cwd: "/",
    env: launch.env,
    stdio: ["ignore", log.fd, log.fd],
  });
  let failure: Error | undefined;
  let exited = false;
  child.once("error", (error) => {
    failure = error;
    exited = true;
  });
  child.once("exit", () => {
    exited = true;
  });
  child.unref();
  await log.close();
  if (child.pid !== undefined && !isRootless()) await recordProcess(location, child.pid);
  if (await becomesReady(location, () => !exited, signal)) {
    if (isRootless()) await recordInner(location);
    return;
  }
  if (child.pid !== undefined && !exited) await end(child.pid, "SIGKILL", stopWithin);
  await clear(location);
  await forgetProcess(location);
  const said = await logTail(location, 5, logStart);
  const why = failure?.message ?? (said === "" ? "it said nothing" : said);
  throw new UserError(
    3,
    [
      {
        code: "daemon-failed",
        message: `The embedded buildkitd ${exited ? "ended while it started" : `did not answer within ${String(readyWithin / 1000)} s`}: ${why}`,
        at: [],
        hint: `Read ${location.log}, or use another buildkitd with --buildkit or BUILDKIT_HOST`,
      },
    ],
    { cause: failure },
  );
}

/** What is left of a daemon that is dead. Without root its mounts ended with its namespaces. */
async function clear(location: Location): Promise<void> {
  if (!isRootless()) {
    await clearLeftovers(location.root, location.temporary);
    return;
  }
  await endNamespaces(location);
  if (location.temporary !== undefined) await clearTemporary(location.temporary);
}

/** buildkitd itself, or rootlesskit around it. */
async function launchOf(
  binary: string,
  location: Location,
  env: Environment,
): Promise<{ program: string; args: readonly string[]; env: Record<string, string> }> {
  const args = ["--config", location.config];
  const { temporary } = location;
  if (temporary !== undefined) await makeDir(temporary);
  const own = { ...daemonEnvironment(env), ...(temporary === undefined ? {} : { TMPDIR: temporary }) };
  if (!isRootless()) return { program: binary, args, env: own };
  await makeDir(location.runtimeDir);
  const program = (await onPath("rootlesskit", env)) ?? "rootlesskit";
  return {
    program,
    args: [...rootlessArgs(location), binary, ...args],
    env: { ...own, XDG_RUNTIME_DIR: location.runtimeDir },
  };
}

/** The process that was started is rootlesskit; the daemon is one that it started. */
async function recordInner(location: Location): Promise<void> {
  const found = await findProcess(location);
  if (found !== undefined) await recordProcess(location, found.pid);
}

async function makeDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = "Set DAGGER_CACHE_DIR to a directory that can be written";
    throw new UserError(3, [{ code: "daemon-path", message: `Cannot make the embedded daemon's directory ${dir}: ${why}`, at: [], hint }], {
      cause,
    });
  }
}

// Only what a daemon has use for: it outlives this run, and this run's environment may hold secrets.
function daemonEnvironment(env: Environment): Record<string, string> {
  const wanted =
    /^(HOME|TMPDIR|LANG|LC_.*|TZ|SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL|FTP)_PROXY|OTEL_.*|BUILDKIT_STEP_LOG_MAX_(SIZE|SPEED)|GODEBUG|GOMAXPROCS|GOMEMLIMIT)$/i;
  const kept: Record<string, string> = { PATH: searchPath(env) };
  for (const [name, value] of Object.entries(env)) if (value !== undefined && wanted.test(name)) kept[name] = value;
  return kept;
}

/** Waits until it answers; false when `alive` turns false first, or after a minute. */
async function becomesReady(
  location: Location,
  alive: () => boolean | Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const until = Date.now() + readyWithin;
  while (Date.now() < until) {
    if (await answers(location.socket)) return true;
    if (!(await alive())) return false;
    await sleep(10, undefined, { signal });
  }
  return false;
}

/** Sends a signal and waits for the process to be gone; false when it is still there after `within` milliseconds. */
async function end(pid: number, how: NodeJS.Signals, within: number): Promise<boolean> {
  try {
    process.kill(pid, how);
  } catch {
    return true;
  }
  const until = Date.now() + within;
  while (Date.now() < until) {
    if (!(await isRunning(pid))) return true;
    await sleep(20);
  }
  return false;
}
