// What every progress printer is, and the one that a run gets.
import type { UpEvent } from "../../engine/index.ts";

export type ProgressMode = "tty" | "plain" | "json" | "rawjson" | "quiet";
export const progressModes: readonly ProgressMode[] = ["tty", "plain", "json", "rawjson", "quiet"];

export type Outcome = "done" | "failed" | "canceled";

/** Prints a run while it happens. Writes to stderr only: stdout is for results. */
export interface ProgressPrinter {
  event(event: UpEvent): void;
  /** Ends the display: leaves the terminal as it was, and prints the logs of failed steps. Does nothing the second time. */
  finish(outcome: Outcome): void;
}

/**
 * The mode for this run: the flag, else DAGGER_PROGRESS, else BUILDKIT_PROGRESS (with BuildKit's names), else what the terminal allows.
 * Gives undefined for a word that is no mode.
 */
export function chooseProgress(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  isTTY: boolean,
): ProgressMode | undefined {
  const word = flag ?? nonEmpty(env["DAGGER_PROGRESS"]) ?? nonEmpty(env["BUILDKIT_PROGRESS"]) ?? "auto";
  if (word === "auto") return isTTY && env["TERM"] !== "dumb" && !isTrue(env["CI"]) ? "tty" : "plain";
  return progressModes.find((mode) => mode === word);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && text !== "" && text !== "0" && text !== "false";
}
