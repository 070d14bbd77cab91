// What a watch in the background says of itself, in a file that it replaces whenever that changes.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type ProcessIdentity, thisProcess } from "../store/process.ts";
import type { WatchEvent } from "../watching/index.ts";

/** How a run ended; times are milliseconds since 1970. */
export interface LastRun {
  readonly run: number;
  readonly outcome: "done" | "failed" | "superseded";
  readonly at: number;
  readonly message?: string;
}

/** What is in the file. */
interface Told {
  readonly process: ProcessIdentity;
  readonly of: string;
  readonly since: number;
  readonly state: "starting" | "running" | "waiting" | "ended";
  readonly run: number;
  readonly last?: LastRun;
  readonly next?: { readonly path: string; readonly time: number };
  /** Why it ended, where nobody ended it. */
  readonly why?: string;
}

/** `crashed`: its process is gone, and did not say that it ends. `ended`: it was stopped, or could not go on (`why`). */
export interface BackgroundStatus extends Omit<Told, "process" | "state"> {
  readonly state: Told["state"] | "crashed";
  readonly pid: number;
  /** The file with what it prints. */
  readonly log: string;
}

export function logOf(dir: string): string {
  return join(dir, "log");
}

/** Undefined where none was ever started. */
export function readStatus(dir: string): BackgroundStatus | undefined {
  const told = read(dir);
  if (told === undefined) return undefined;
  const { process, state, ...rest } = told;
  const isGone = state !== "ended" && isAlive(process, thisProcess()) === false;
  return { ...rest, pid: process.pid, state: isGone ? "crashed" : state, log: logOf(dir) };
}

/** Whether there is a process that watches. */
export function isRunning(status: BackgroundStatus | undefined): boolean {
  return status !== undefined && status.state !== "crashed" && status.state !== "ended";
}

class StatusFile {
  readonly #dir: string;
  #told: Told;

  constructor(dir: string, told: Told) {
    this.#dir = dir;
    this.#told = told;
  }

  note(event: WatchEvent, now: number): void {
    const { next: _, ...told } = this.#told;
    if (event.type === "start") this.#told = { ...told, state: "running", run: event.run };
    else if (event.type === "waiting")
      this.#told = { ...this.#told, state: "waiting", ...(event.next === undefined ? {} : { next: event.next }) };
    else if (event.type === "following" && this.#told.state === "starting") this.#told = { ...told, state: "waiting" };
    else if (event.type === "end") {
      const message = event.outcome === "failed" ? event.error.diagnostics[0]?.message : undefined;
      const last = { run: event.run, outcome: event.outcome, at: now, ...(message === undefined ? {} : { message }) };
      this.#told = { ...this.#told, last };
    } else return;
    this.#write();
  }

  ended(why?: string): void {
    this.#told = { ...this.#told, state: "ended", ...(why === undefined ? {} : { why }) };
    this.#write();
  }

  #write(): void {
    write(this.#dir, this.#told);
  }
}

/** Of a process that was just started to watch. */
export function beginStatus(dir: string, of: string, process: ProcessIdentity, now: number): void {
  write(dir, { process, of, since: now, state: "starting", run: 0 });
}

/** What this process, which watches, says of itself from now on. */
export function openStatus(dir: string): StatusFile {
  return new StatusFile(dir, { of: dir, since: Date.now(), ...read(dir), process: thisProcess(), state: "starting", run: 0 });
}

function read(dir: string): Told | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(dir), "utf8")) as Told;
  } catch {
    return undefined;
  }
}

function write(dir: string, told: Told): void {
  const file = fileOf(dir);
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(told)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}

function fileOf(dir: string): string {
  return join(dir, "status.json");
}
