// Progress in a terminal: a picture of the run that is drawn again while things happen.
import type { UpEvent } from "../../engine/index.ts";
import type { Out } from "../io.ts";
import { formatChange } from "./change.ts";
import { formatDependency } from "./dependency.ts";
import { formatWarning } from "./errors.ts";
import { formatFailedLogs } from "./failed-logs.ts";
import { renderFrame } from "./frame.ts";
import { formatHooks } from "./hook.ts";
import { passReason } from "./pass.ts";
import type { Outcome, ProgressPrinter } from "./progress.ts";
import { Screen } from "./screen.ts";
import { StepTable } from "./steps.ts";
import type { Style } from "./style.ts";

/** Calls back again and again; gives a function that ends this. */
export type Ticker = (callback: () => void) => () => void;

/** Ten pictures a second look alive and cost little. */
export const everyTenth: Ticker = (callback) => {
  const timer = setInterval(callback, 100);
  return () => clearInterval(timer);
};

/** Milliseconds. Who drags a window's corner makes it smaller many times in a row. */
const dragging = 1000;

const titles = {
  evaluate: "Evaluating CUE",
  connect: "Connecting to BuildKit",
  compile: "Compiling",
  solve: "Running",
  save: "Saving",
} as const;

const endings: Readonly<Record<Outcome, string>> = { done: "Finished", failed: "Failed", canceled: "Canceled" };

export class TtyProgress implements ProgressPrinter {
  readonly #out: Out;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #screen: Screen;
  readonly #table: StepTable;
  readonly #began: number;
  readonly #stop: () => void;
  #title = "Starting";
  /** Its id in the history. */
  #run = "";
  #size: { readonly columns: number; readonly rows: number };
  /** When the terminal last became smaller; milliseconds since 1970. */
  #shrunk = -Infinity;
  #finished = false;

  constructor(out: Out, style: Style, now: () => number, ticker: Ticker = everyTenth) {
    this.#out = out;
    this.#style = style;
    this.#now = now;
    this.#screen = new Screen(out);
    this.#table = new StepTable(style.colour);
    this.#began = now();
    const stopTicker = ticker(() => this.#draw());
    this.#size = out.size();
    const stopResize = out.onResize(() => this.#resize());
    this.#stop = () => {
      stopTicker();
      stopResize();
    };
  }

  event(event: UpEvent): void {
    const now = this.#now();
    switch (event.type) {
      case "solve":
        return;
      case "phase":
        this.#title = titles[event.phase];
        return;
      case "recorded":
        if (event.of === undefined) this.#run = event.run;
        return;
      case "pass":
        if (event.pass > 1) this.#screen.print(`pass ${event.pass}, because ${passReason(event)}\n`);
        return;
      case "plan":
        this.#table.plan(event.steps);
        return;
      case "step":
        this.#table.step(event, now);
        return;
      case "log":
        this.#table.log(event);
        return;
      case "status":
        this.#table.get(event.step).statuses.set(event.id, {
          name: event.name,
          current: event.current,
          total: event.total,
          completed: event.completed,
        });
        return;
      case "dependency":
        this.#screen.print(formatDependency(event, this.#style));
        return;
      case "hooks":
        this.#screen.print(formatHooks(event.hooks));
        return;
      case "change":
        this.#screen.print(formatChange(event, this.#style));
        return;
      case "warning":
        this.#screen.print(formatWarning(event, this.#style));
        return;
    }
  }

  finish(outcome: Outcome): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#stop();
    this.#title = endings[outcome];
    this.#screen.draw(this.#frame({ columns: this.#out.size().columns, rows: Infinity }));
    this.#screen.release();
    if (outcome === "failed") this.#out.write(formatFailedLogs(this.#table.failed(), this.#style));
  }

  #draw(): void {
    if (!this.#finished) this.#screen.draw(this.#frame(this.#room()));
  }

  #resize(): void {
    const [before, now] = [this.#size, this.#out.size()];
    this.#size = now;
    if (now.columns < before.columns || now.rows < before.rows) this.#shrunk = this.#now();
    this.#draw();
  }

  /**
   * How large the picture may be. What a smaller terminal has no room for when it wraps its lines moves up, out of reach: while it becomes
   * smaller, the picture keeps away from its borders, so that this happens once, not with every step.
   */
  #room(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#out.size();
    const part = this.#now() - this.#shrunk < dragging ? 0.75 : 1;
    return { columns: Math.floor(columns * part), rows: Math.max(3, Math.floor((rows - 1) * part)) };
  }

  #frame({ columns, rows }: { readonly columns: number; readonly rows: number }): string[] {
    return renderFrame({
      table: this.#table,
      title: this.#title,
      run: this.#run,
      began: this.#began,
      now: this.#now(),
      columns,
      rows,
      style: this.#style,
    });
  }
}
