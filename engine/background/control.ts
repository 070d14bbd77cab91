// Starts, finds and stops watches in the background: processes of their own, one for each environment or directory.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Diagnostic, inputError, UserError } from "../../compiler/index.ts";
import { readLog } from "../../runtime/daemon/index.ts";
import { withLock } from "../../runtime/lock.ts";
import { processOf } from "../store/process.ts";
import { type PlaceRequest, placeOf, placesAround } from "./place.ts";
import { type BackgroundStatus, beginStatus, isRunning, logOf, readStatus } from "./status.ts";

export interface StartRequest extends PlaceRequest {
  /** The program that becomes the watch, which gets the directory for what it says of itself as DAGGER_WATCH_PLACE, and its arguments. */
  readonly command: readonly string[];
  /** Arguments of the watch. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
}

/** Milliseconds between looks at a process that comes or goes. */
const look = 50;

/**
 * Resolves when it has begun its first run, with what it says then. Throws UserError: 2 `daemon-runs` when there is one already, 3
 * `daemon-not-started` when it ends before.
 */
export async function startBackground(request: StartRequest): Promise<BackgroundStatus> {
  const place = placeOf(request);
  mkdirSync(place.dir, { recursive: true, mode: 0o700 });
  return withLock(
    join(place.dir, "start.lock"),
    async () => {
      const before = readStatus(place.dir);
      if (before !== undefined && isRunning(before)) throw alreadyRuns(before);
      for (const name of ["log", "log.1", "status.json"]) rmSync(join(place.dir, name), { force: true });
      const identity = spawnWatch(request, place.dir);
      beginStatus(place.dir, place.of, identity, Date.now());
      return begun(place.dir, request.signal);
    },
    request.signal,
  );
}

/** What it prints before it has a log of its own, and when it crashes. */
function spawnWatch({ command: [program = "", ...before], args, cwd, env }: StartRequest, dir: string): ReturnType<typeof processOf> {
  const output = openSync(join(dir, "crash"), "w", 0o600);
  try {
    // In a session of its own: it survives the terminal.
    const child = spawn(program, [...before, ...args], {
      cwd,
      env: { ...env, DAGGER_WATCH_PLACE: dir },
      detached: true,
      stdio: ["ignore", output, output],
    });
    child.on("error", () => undefined);
    child.unref();
    return processOf(child.pid ?? -1);
  } finally {
    closeSync(output);
  }
}

async function begun(dir: string, signal: AbortSignal): Promise<BackgroundStatus> {
  for (;;) {
    const status = readStatus(dir);
    if (status === undefined || !isRunning(status)) throw notStarted(dir, status?.why);
    // Without a config there are no runs to wait for.
    if (status.run > 0 || status.state === "waiting") return status;
    if (signal.aborted) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
    await sleep(look);
  }
}

/** All around `cwd`, or the one that is meant. */
export function backgroundStatus(request: Pick<PlaceRequest, "cwd" | "env"> & Partial<PlaceRequest>): readonly BackgroundStatus[] {
  const { dir, stack } = request;
  const dirs = dir === undefined ? placesAround(request) : [placeOf({ ...request, dir, ...(stack === undefined ? {} : { stack }) }).dir];
  return dirs.flatMap((one) => readStatus(one) ?? []);
}

/** Ends it as Ctrl-C does: the run that goes on is cancelled on the daemon. Resolves when it is gone; undefined when none went on. */
export async function stopBackground(request: PlaceRequest & { readonly signal: AbortSignal }): Promise<BackgroundStatus | undefined> {
  const { dir } = placeOf(request);
  const status = readStatus(dir);
  if (status === undefined || !isRunning(status)) return undefined;
  process.kill(status.pid, "SIGTERM");
  for (;;) {
    const now = readStatus(dir);
    // It says that it ends a moment before it is gone.
    if (now === undefined || now.state === "crashed" || (now.state === "ended" && !isThere(status.pid))) return now ?? status;
    if (request.signal.aborted) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
    await sleep(look);
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What it printed last, and with `follow` what comes, until the signal aborts. Throws UserError (2) `no-daemon` where none was started. */
export async function* backgroundLog(
  request: PlaceRequest & { readonly signal: AbortSignal; readonly follow: boolean },
): AsyncGenerator<Uint8Array> {
  const { dir, of } = placeOf(request);
  const log = logOf(dir);
  if (readStatus(dir) === undefined) throw noDaemon(of);
  if (existsSync(`${log}.1`)) yield readFileSync(`${log}.1`);
  yield* readLog({ log }, request);
}

function noDaemon(of: string): UserError {
  return inputError({ code: "no-daemon", message: `No watch of ${of} was started`, at: [], hint: "Start one: dagger daemon start" });
}

function alreadyRuns({ of, pid }: BackgroundStatus): UserError {
  const message = `A watch of ${of} goes on already (pid ${pid})`;
  return inputError({
    code: "daemon-runs",
    message,
    at: [],
    hint: "Look at it with `dagger daemon status`, end it with `dagger daemon stop`",
  });
}

/** With the end of what it printed. */
function notStarted(dir: string, why: string | undefined): UserError {
  const printed = ["log", "crash"].flatMap((name) => {
    const file = join(dir, name);
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-5) : [];
  });
  const last = printed.filter((line) => line !== "").join("; ");
  const message = `The watch ended before its first run began: ${why ?? (last || "it printed nothing")}`;
  const diagnostic: Diagnostic = {
    code: "daemon-not-started",
    message,
    at: [],
    hint: "Run `dagger watch` with the same flags to see more",
  };
  return new UserError(3, [diagnostic]);
}
