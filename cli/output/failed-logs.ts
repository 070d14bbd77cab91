// Prints the log of each step that failed, once, after the progress has ended.
import type { Step } from "../../engine/index.ts";
import type { LogStore } from "./log-store.ts";
import type { Style } from "./style.ts";
import { plural } from "./units.ts";

export interface FailedStep {
  readonly step: Step;
  readonly log: LogStore;
}

/**
 * ```
 * ------ log of app.test: exec make test
 * …
 * ------
 * ```
 * `limit` keeps only the last lines, where the whole log was printed before. Nothing for a step that wrote nothing.
 */
export function formatFailedLogs(failed: readonly FailedStep[], style: Style, limit: number = Infinity): string {
  return failed
    .filter(({ log }) => log.length > 0)
    .map(({ step, log }) => {
      const cut = log.length > limit;
      const lines = cut ? log.last(limit) : log.all();
      const what = cut ? `last ${plural(limit, "line")} of the log` : "log";
      return [style.dim(`------ ${what} of ${stepTitle(step)}`), ...lines, style.dim("------"), ""].join("\n");
    })
    .join("");
}

/** `app.test: exec make test`. */
export function stepTitle(step: Step): string {
  return step.component === "" ? step.name : `${step.component}: ${step.name}`;
}
