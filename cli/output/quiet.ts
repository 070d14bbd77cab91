// No progress: only warnings, and the logs of what failed.
import type { UpEvent } from "../../engine/index.ts";
import type { Out } from "../io.ts";
import { formatWarning } from "./errors.ts";
import { formatFailedLogs } from "./failed-logs.ts";
import type { Outcome, ProgressPrinter } from "./progress.ts";
import { StepTable } from "./steps.ts";
import type { Style } from "./style.ts";

export class QuietProgress implements ProgressPrinter {
  readonly #out: Out;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #table: StepTable;
  #finished = false;

  constructor(out: Out, style: Style, now: () => number) {
    this.#out = out;
    this.#style = style;
    this.#now = now;
    this.#table = new StepTable(style.colour);
  }

  event(event: UpEvent): void {
    if (event.type === "warning") this.#out.write(formatWarning(event, this.#style));
    else if (event.type === "step") this.#table.step(event, this.#now());
    else if (event.type === "log") this.#table.log(event);
  }

  finish(outcome: Outcome): void {
    if (this.#finished) return;
    this.#finished = true;
    if (outcome === "failed") this.#out.write(formatFailedLogs(this.#table.failed(), this.#style));
  }
}
