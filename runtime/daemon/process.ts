// Which process is the embedded daemon: found by what the kernel says about it, never by a number in a file alone.
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Location } from "./location.ts";

/** A running embedded daemon. */
export interface DaemonProcess {
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What is kept on disk about it: a short cut that saves looking at every process. */
interface ProcessRecord {
  readonly pid: number;
}

/** The running daemon of this location, also one whose starter died before it could write down its number. */
export async function findProcess(location: Location): Promise<DaemonProcess | undefined> {
  const recorded = await readRecord(location);
  if (recorded !== undefined && (await isDaemon(recorded.pid, location))) return describe(recorded.pid);
  for (const entry of await readdir("/proc").catch(() => [])) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && pid !== recorded?.pid && (await isDaemon(pid, location))) return describe(pid);
  }
  return undefined;
}

/** Writes down which process it is. */
export async function recordProcess(location: Location, pid: number): Promise<void> {
  const temporary = `${location.record}.${String(process.pid)}`;
  await writeFile(temporary, `${JSON.stringify({ pid } satisfies ProcessRecord)}\n`, { mode: 0o600 });
  await rename(temporary, location.record);
}

/** Forgets the process and its sockets, after it ended. */
export async function forgetProcess(location: Location): Promise<void> {
  for (const file of [location.record, location.socket, location.traceSocket]) await rm(file, { force: true });
}

/**
 * Whether a daemon serves there. buildkitd listens before it is ready, and the kernel accepts for one that hangs; so this
 * waits for the greeting that every HTTP/2 server sends, at most `within` milliseconds.
 */
export function answers(socketPath: string, within = 5_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.setTimeout(within, () => socket.destroy());
    socket.once("data", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

async function readRecord(location: Location): Promise<ProcessRecord | undefined> {
  try {
    const data: unknown = JSON.parse(await readFile(location.record, "utf8"));
    const pid = typeof data === "object" && data !== null && "pid" in data ? data.pid : undefined;
    return typeof pid === "number" && Number.isInteger(pid) && pid > 0 ? { pid } : undefined;
  } catch {
    return undefined;
  }
}

// The command line names the configuration file of this very location: no other process has that, whatever its number.
async function isDaemon(pid: number, location: Location): Promise<boolean> {
  try {
    const args = (await readFile(`/proc/${String(pid)}/cmdline`, "utf8")).split("\0");
    return args[1] === "--config" && args[2] === location.config && (await isRunning(pid));
  } catch {
    return false;
  }
}

/** Whether the process is there and runs: a container whose first process does not reap keeps dead ones in its table. */
export async function isRunning(pid: number): Promise<boolean> {
  return statFields(pid).then(
    ([state]) => state !== "Z" && state !== "X",
    () => false,
  );
}

async function describe(pid: number): Promise<DaemonProcess> {
  // Field 22 of stat, in ticks of 1/100 s (fixed in the kernel's interface) since boot.
  const ticks = Number((await statFields(pid).catch(() => []))[19] ?? 0);
  const boot = /^btime (\d+)$/m.exec(await readFile("/proc/stat", "utf8"))?.[1] ?? "0";
  return { pid, since: Number(boot) * 1000 + ticks * 10 };
}

// The fields after the command name, which is in brackets and may hold anything; the first is the state (field 3).
async function statFields(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${String(pid)}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
