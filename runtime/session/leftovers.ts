// Names of half-received results, which tell whose they are, so that those of a killed process can be removed by the next one.
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const prefix = ".dagger-save-";
/** What another machine or container left here is removed when it is this old: whether it still runs cannot be seen from here. */
const foreignAge = 7 * 24 * 3600 * 1000;

/** The start of a name for a file or directory that this process fills; random characters are to follow. */
export function stagingPrefix(): string {
  return `${prefix}${scope()}-${process.pid}-${startOf(process.pid) ?? "0"}-`;
}

/** Removes what ended processes left in a directory. Never fails: it is no part of the job. */
export async function sweepLeftovers(dir: string, now: number = Date.now()): Promise<void> {
  const names = await fs.promises.readdir(dir).catch(() => []);
  for (const name of names) {
    if (name.startsWith(prefix) && (await isLeftover(path.join(dir, name), now)))
      await fs.promises.rm(path.join(dir, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isLeftover(file: string, now: number): Promise<boolean> {
  const match = /^([0-9a-f]{8})-(\d+)-(\d+)-/.exec(path.basename(file).slice(prefix.length));
  if (match !== null && match[1] === scope()) return !isAlive(Number(match[2]), match[3] as string);
  const stat = await fs.promises.lstat(file).catch(() => undefined);
  return stat !== undefined && now - stat.mtimeMs > foreignAge;
}

/** Process ids mean something only on one boot of one machine, and inside one container. */
function scope(): string {
  knownScope ??= createHash("sha256")
    .update(`${os.hostname()}\0${readOr("/proc/sys/kernel/random/boot_id")}\0${linkOr("/proc/self/ns/pid")}`)
    .digest("hex")
    .slice(0, 8);
  return knownScope;
}
let knownScope: string | undefined;

/** An id may be given again: the time that its process started at tells them apart, where the system tells it. */
function isAlive(pid: number, started: string): boolean {
  const start = startOf(pid);
  if (start !== undefined) return started === "0" || start === started;
  if (started !== "0") return false; // this system tells of all processes, and of this one it does not
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat: clock ticks since the boot. The name before it may hold anything, but ends with the last bracket. */
function startOf(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .at(19);
}

function readOr(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function linkOr(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return "";
  }
}
