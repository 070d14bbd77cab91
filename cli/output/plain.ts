// Progress as lines, for CI and pipes: every line begins with its step's number, nothing is ever written over.
import type { UpEvent } from "../../engine/index.ts";
import type { Out } from "../io.ts";
import { formatChange } from "./change.ts";
import { formatDependency } from "./dependency.ts";
import { formatWarning } from "./errors.ts";
import { formatFailedLogs } from "./failed-logs.ts";
import { formatHooks } from "./hook.ts";
import { passReason } from "./pass.ts";
import type { Outcome, ProgressPrinter } from "./progress.ts";
import type { TrackedStep } from "./steps.ts";
import { elapsed, formatStatus, StepTable } from "./steps.ts";
import type { Style } from "./style.ts";
import { duration, seconds } from "./units.ts";

/** A transfer is told again when it moved on by this share or this long ago (ms), as BuildKit's own plain output does. */
const statusShare = 0.05;
const statusPause = 5000;
/** The whole log was printed among the others' lines; its end is repeated where the reader looks first. */
const repeatedLines = 10;

interface Told {
  share: number;
  time: number;
  completed: boolean;
}

export class PlainProgress implements ProgressPrinter {
  readonly #out: Out;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #table: StepTable;
  readonly #introduced = new Set<string>();
  readonly #told = new Map<string, Told>();
  #finished = false;

  constructor(out: Out, style: Style, now: () => number) {
    this.#out = out;
    this.#style = style;
    this.#now = now;
    this.#table = new StepTable(style.colour);
  }

  event(event: UpEvent): void {
    switch (event.type) {
      case "phase":
      case "solve":
        return;
      case "recorded":
        this.#out.write(`run ${event.run}${event.of === undefined ? "" : ` of ${event.of}`}: dagger history show ${event.run}\n`);
        return;
      case "pass":
        if (event.pass > 1) this.#line(`pass ${event.pass}, because ${passReason(event)}`);
        return;
      case "plan":
        this.#table.plan(event.steps);
        return;
      case "step":
        this.#step(event);
        return;
      case "status":
        this.#status(event);
        return;
      case "log": {
        const { tracked, lines } = this.#table.log(event);
        this.#log(tracked, lines, event.time);
        return;
      }
      case "dependency":
        this.#out.write(formatDependency(event, this.#style));
        return;
      case "hooks":
        this.#out.write(formatHooks(event.hooks));
        return;
      case "change":
        this.#out.write(formatChange(event, this.#style));
        return;
      case "warning":
        this.#out.write(formatWarning(event, this.#style));
        return;
    }
  }

  #step(event: Extract<UpEvent, { type: "step" }>): void {
    const before = this.#table.get(event.step).state;
    // A step that is taken up again is named again: its first lines may be far above.
    if (event.state === "started" && before !== "waiting") this.#introduced.delete(event.step.digest);
    const { tracked, rest } = this.#table.step(event, this.#now());
    this.#log(tracked, rest, tracked.completed);
    this.#introduce(tracked);
    const number = this.#number(tracked);
    if (event.state === "started") return;
    switch (event.state) {
      case "cached":
        this.#line(`${number} ${this.#style.green("CACHED")}\n`);
        return;
      case "done":
        this.#line(`${number} ${this.#style.green("DONE")} ${duration(elapsed(tracked, tracked.completed))}\n`);
        return;
      case "error":
        this.#line(`${number} ${this.#style.red("ERROR")}: ${tracked.error}\n`);
        return;
      case "canceled":
        this.#line(`${number} ${this.#style.yellow("CANCELED")}\n`);
        return;
    }
  }

  #status(event: Extract<UpEvent, { type: "status" }>): void {
    const tracked = this.#table.get(event.step);
    const key = `${event.step.digest}\0${event.id}`;
    const told = this.#told.get(key);
    const now = this.#now();
    const share = event.total > 0 ? event.current / event.total : 0;
    if (told?.completed === true) return;
    if (told !== undefined && !event.completed && share - told.share < statusShare && now - told.time < statusPause) return;
    this.#told.set(key, { share, time: now, completed: event.completed });
    this.#introduce(tracked);
    this.#line(`${this.#number(tracked)} ${formatStatus(event)}${event.completed ? " done" : ""}`);
  }

  #introduce(tracked: TrackedStep): void {
    if (this.#introduced.has(tracked.step.digest)) return;
    this.#introduced.add(tracked.step.digest);
    const group = tracked.step.component === "" ? "" : `[${tracked.step.component}] `;
    this.#line(`${this.#number(tracked)} ${this.#style.bold(`${group}${tracked.step.name}`)}`);
  }

  #log(tracked: TrackedStep, lines: readonly string[], time: number): void {
    if (lines.length === 0) return;
    this.#introduce(tracked);
    const at = tracked.started === 0 ? 0 : tracked.earlier + Math.max(0, time - tracked.started);
    const head = `${this.#number(tracked)} ${this.#style.dim(seconds(at))} `;
    this.#out.write(lines.map((line) => `${head}${line}\n`).join(""));
  }

  #number(tracked: TrackedStep): string {
    return this.#style.blue(`#${tracked.number}`);
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }

  finish(outcome: Outcome): void {
    if (this.#finished) return;
    this.#finished = true;
    if (outcome === "failed") this.#out.write(formatFailedLogs(this.#table.failed(), this.#style, repeatedLines));
  }
}
