// What is kept of each service of a workspace, in `.dagger/state/services/NAME/`: service.json, its files, its log.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import { at, findWorkspace, type Workspace } from "../workspace/find.ts";
import type { ContainerPlace } from "./engine.ts";

/**
 * `starting`: not ready yet. `restarting`: it ended by itself, and is started again. `stopped`: it was told to end, or ended as it may.
 * `failed`: it did not get ready, or ended as it may not. `lost`: what looked after it is gone, e.g. since the machine was started anew.
 */
export type ServiceStatus = "starting" | "ready" | "restarting" | "stopped" | "failed" | "lost";

/** A process, as the kernel tells it from one that has its number later. */
export interface ProcessMark {
  readonly pid: number;
  readonly mark: string;
}

/** Times are milliseconds since 1970. */
export interface ServiceState {
  readonly name: string;
  /** CUE path of its component, and its config. */
  readonly component: string;
  readonly config: string;
  /** Its command line, with the names of secrets in place of them. */
  readonly line: string;
  /** Of all that it was started with, but for secrets. */
  readonly fingerprint: string;
  readonly status: ServiceStatus;
  /** Why it failed, or is started again. */
  readonly why?: string;
  readonly supervisor?: ProcessMark;
  readonly process?: ProcessMark;
  /** Where it runs in a container: its process is that which stays with the container. */
  readonly container?: ContainerPlace;
  /** When its status changed. */
  readonly since: number;
  /** How often it was started again. */
  readonly restarts: number;
}

/** Statuses of a service that somebody looks after. */
const underway: ReadonlySet<ServiceStatus> = new Set(["starting", "ready", "restarting"]);

export function isUnderway({ status }: Pick<ServiceState, "status">): boolean {
  return underway.has(status);
}

/** The directory of a service. */
export function serviceDir(root: string, name: string): string {
  return join(servicesDir(at(root)), name);
}

function servicesDir({ state }: Pick<Workspace, "state">): string {
  return join(state, "services");
}

export function logFile(dir: string): string {
  return join(dir, "log");
}

/** Undefined when there is no such service. A service whose supervisor is gone is `lost`. */
export function readState(dir: string): ServiceState | undefined {
  try {
    const state = JSON.parse(readFileSync(join(dir, "service.json"), "utf8")) as ServiceState;
    if (!isUnderway(state) || isRunning(state.supervisor)) return state;
    const left = isRunning(state.process) ? "; its process still runs: `dagger stop` ends it" : "";
    return { ...state, status: "lost", why: `what looked after it is gone${left}` };
  } catch {
    return undefined;
  }
}

/** Readers find the old state or the new one. */
export async function writeState(dir: string, state: ServiceState): Promise<void> {
  await mkdir(dir, { recursive: true });
  const draft = join(dir, `service.json.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, join(dir, "service.json"));
}

/** All services of the workspace around a directory, by name. Throws UserError (2) `no-workspace`. */
export async function listStates(cwd: string): Promise<ServiceState[]> {
  const names = await readdir(servicesDir(workspaceOf(cwd))).catch(() => []);
  const states = names.sort().flatMap((name) => readState(serviceDir(workspaceOf(cwd).root, name)) ?? []);
  return states;
}

/** Throws UserError (2) `no-workspace`, `unknown-service`. */
export async function findState(cwd: string, name: string): Promise<{ readonly dir: string; readonly state: ServiceState }> {
  const dir = serviceDir(workspaceOf(cwd).root, name);
  // No name leads out of the directory.
  const state = /^[a-z0-9-]+$/.test(name) ? readState(dir) : undefined;
  if (state !== undefined) return { dir, state };
  const names = (await listStates(cwd)).map((one) => one.name);
  const [near] = nearest(name, names);
  const known = names.length === 0 ? "The workspace has none; `dagger up` starts those of a config" : `There are: ${names.join(", ")}`;
  const hint = near === undefined ? known : `Did you mean ${near}?`;
  throw inputError({ code: "unknown-service", message: `There is no service ${JSON.stringify(name)} in this workspace`, at: [], hint });
}

function workspaceOf(cwd: string): Workspace {
  const found = findWorkspace(cwd);
  if (found !== undefined) return found;
  const hint = "Make one with `dagger init`, or go to the directory of one";
  throw inputError({ code: "no-workspace", message: "There is no workspace here: services belong to one", at: [], hint });
}

/** The mark of a process that runs; undefined when there is none. */
export function markOf(pid: number): ProcessMark | undefined {
  const mark = process.platform === "linux" ? linuxMark(pid) : otherMark(pid);
  return mark === undefined ? undefined : { pid, mark };
}

export function isRunning(process: ProcessMark | undefined): boolean {
  return process !== undefined && markOf(process.pid)?.mark === process.mark;
}

/** This start of the machine, and the time since then at which the process began. */
function linuxMark(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // A container whose first process does not reap keeps dead ones in its table.
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function otherMark(pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
