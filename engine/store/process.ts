// Which process has the store open, in a way that another one can find out whether it still lives.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  /** Where `pid` means something: one boot of one machine, and one container of it. */
  readonly machine: string;
  readonly pid: number;
  /** When it started, as the system counts it: another process may get the same pid later. "" where the system does not tell. */
  readonly birth: string;
  /** For people: `pid 4711 on build-7`. */
  readonly label: string;
}

export function thisProcess(): ProcessIdentity {
  return processOf(process.pid);
}

/** A process of this machine. */
export function processOf(pid: number): ProcessIdentity {
  const boot = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const space = attempt(() => readlinkSync("/proc/self/ns/pid"));
  const machine = boot === undefined || space === undefined ? hostname() : `${boot} ${space}`;
  return { machine, pid, birth: birthOf(pid) ?? "", label: `pid ${pid} on ${hostname()}` };
}

/** Undefined when it cannot be known from here. */
export function isAlive(other: Omit<ProcessIdentity, "label">, self: ProcessIdentity): boolean | undefined {
  if (other.machine !== self.machine) return undefined;
  if (other.birth !== "") return birthOf(other.pid) === other.birth;
  try {
    process.kill(other.pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else.
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat. The second, the name in brackets, may have spaces and brackets in it. A zombie lives no more. */
function birthOf(pid: number): string | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
