// Follows a run from its events: which step is in what state since when, and what it said. Shared by the printers.
import type { Step, UpEvent } from "../../engine/index.ts";
import { clean, LineSplitter } from "./lines.ts";
import { LogStore } from "./log-store.ts";
import { bytes } from "./units.ts";
import { truncate } from "./width.ts";

/** Columns of a step's name, where nothing else limits it. */
const longestName = 160;

export type StepState = "waiting" | "started" | "cached" | "done" | "error" | "canceled";

export interface SubStatus {
  readonly name: string;
  readonly current: number;
  readonly total: number;
  readonly completed: boolean;
}

export interface TrackedStep {
  /** Counted from 1 in the order of appearance. */
  readonly number: number;
  readonly step: Step;
  state: StepState;
  /** Milliseconds since 1970 of the current (or last) stretch of work; 0 before the first. */
  started: number;
  completed: number;
  /** Milliseconds of earlier stretches: a step may be taken up again. */
  earlier: number;
  error: string;
  readonly statuses: Map<string, SubStatus>;
  log: LogStore;
  readonly streams: Record<1 | 2, LineSplitter>;
}

export class StepTable {
  readonly steps: Map<string, TrackedStep> = new Map();
  readonly #planned = new Set<string>();
  readonly #plannedIn = new Map<string, number>();
  readonly #colour: boolean;
  #numbers = 0;

  /** `colour`: keep the colours that processes write into their logs. */
  constructor(colour: boolean) {
    this.#colour = colour;
  }

  plan(steps: readonly Step[]): void {
    for (const { digest, component } of steps) {
      if (this.#planned.has(digest)) continue;
      this.#planned.add(digest);
      this.#plannedIn.set(component, (this.#plannedIn.get(component) ?? 0) + 1);
    }
  }

  /** Steps that the graph has for a component. A daemon need not tell of all of them: the cache may make some needless. */
  planned(component: string): number {
    return this.#plannedIn.get(component) ?? 0;
  }

  get total(): number {
    let unplanned = 0;
    for (const digest of this.steps.keys()) if (!this.#planned.has(digest)) unplanned++;
    return this.#planned.size + unplanned;
  }

  get finished(): number {
    let count = 0;
    for (const { state } of this.steps.values()) if (state !== "waiting" && state !== "started") count++;
    return count;
  }

  get(step: Step): TrackedStep {
    let tracked = this.steps.get(step.digest);
    if (tracked === undefined) {
      tracked = {
        number: ++this.#numbers,
        step: { ...step, name: oneLine(step.name), component: oneLine(step.component) },
        state: "waiting",
        started: 0,
        completed: 0,
        earlier: 0,
        error: "",
        statuses: new Map(),
        log: new LogStore(),
        streams: { 1: new LineSplitter(), 2: new LineSplitter() },
      };
      this.steps.set(step.digest, tracked);
    }
    return tracked;
  }

  /** Applies a change of state; gives the lines that the step had begun but not ended. */
  step(event: Extract<UpEvent, { type: "step" }>, now: number): { tracked: TrackedStep; rest: string[] } {
    const tracked = this.get(event.step);
    if (event.state === "started") {
      if (tracked.state !== "waiting" && tracked.state !== "started") tracked.earlier += tracked.completed - tracked.started;
      tracked.started = event.started ?? now;
      tracked.state = "started";
      return { tracked, rest: [] };
    }
    tracked.state = event.state;
    tracked.completed = event.completed ?? now;
    tracked.started = event.started ?? (tracked.started || tracked.completed);
    tracked.error = shorten(clean(event.error ?? ""));
    const rest = this.#flush(tracked);
    // Only failures are asked for their log again.
    if (event.state === "done" || event.state === "cached") tracked.log = new LogStore();
    return { tracked, rest };
  }

  /** Complete lines, clean for a terminal. */
  log(event: Extract<UpEvent, { type: "log" }>): { tracked: TrackedStep; lines: string[] } {
    const tracked = this.get(event.step);
    const lines = tracked.streams[event.stream].push(event.data).map((line) => clean(line, this.#colour));
    for (const line of lines) tracked.log.add(line);
    return { tracked, lines };
  }

  #flush(tracked: TrackedStep): string[] {
    const rest = [...tracked.streams[1].end(), ...tracked.streams[2].end()].map((line) => clean(line, this.#colour));
    for (const line of rest) tracked.log.add(line);
    return rest;
  }

  failed(): TrackedStep[] {
    return [...this.steps.values()].filter(({ state }) => state === "error");
  }
}

/** Scripts in arguments may have many lines; the line in CUE has them all. */
function oneLine(text: string): string {
  return truncate(clean(text.replaceAll(/\s+/g, " ")), longestName);
}

/** The daemon repeats the command in its error; the step's own line has it already. */
function shorten(error: string): string {
  return error.replace(/^process ".*" did not complete successfully: /s, "");
}

/** Milliseconds that a step has worked. */
export function elapsed(tracked: TrackedStep, now: number): number {
  if (tracked.started === 0) return 0;
  const end = tracked.state === "started" ? now : tracked.completed;
  return tracked.earlier + Math.max(0, end - tracked.started);
}

/** `sha256:1234… 3.2MB / 10MB`; counts without a known total are shown alone. */
export function formatStatus(status: { name: string; id: string; current: number; total: number }): string {
  const name = status.name === "" ? status.id : status.name;
  if (status.total > 0) return `${name} ${bytes(status.current)} / ${bytes(status.total)}`;
  return status.current > 0 ? `${name} ${bytes(status.current)}` : name;
}
