// What became of a run, as its hooks are told: which of them run for it, and with what in their field `event`.
import { type Diagnostic, type Hook, isWithin, type UserError } from "../../compiler/index.ts";
import { KeptError } from "../passes/keep-going.ts";

/** How a run ended, or that it is about to begin. */
export interface Outcome {
  readonly status: "running" | "success" | "failure" | "cancelled";
  readonly failures: readonly Failure[];
  /** Whether what has not failed has succeeded: where nothing was cut off. */
  readonly settled: boolean;
}

export interface Failure {
  /** CUE path of the component; "" when it is of none. */
  readonly component: string;
  readonly code: string;
  readonly message: string;
  readonly exitCode?: number;
  readonly log: string;
  /** CUE paths that it is a failure of, as the graph has them. */
  readonly paths: readonly string[];
}

/** The field `event` of a hook: package op, `#Event`. */
export interface HookEvent {
  readonly on: Hook["on"];
  readonly status: Outcome["status"];
  readonly of: readonly string[];
  readonly failures: readonly Omit<Failure, "paths">[];
}

export const beginning: Outcome = { status: "running", failures: [], settled: false };

/** What is known of a failed step: the components that it is a step of, and what it wrote last. */
export interface StepsKnown {
  componentsOf(digest: string): readonly string[];
  lastLines(digest: string): string;
}

/** `error` as it is told; undefined when nothing failed. */
export function outcomeOf(error: UserError | undefined, known: StepsKnown): Outcome {
  if (error === undefined) return { status: "success", failures: [], settled: true };
  if (error.exit === 130) return { status: "cancelled", failures: [], settled: false };
  return {
    status: "failure",
    failures: error.diagnostics.map((one) => failureOf(one, known)),
    settled: error instanceof KeptError,
  };
}

function failureOf({ code, message, path = "", step }: Diagnostic, known: StepsKnown): Failure {
  const component = path.replace(/[.]?#up\b.*$/, "");
  return {
    component: component.replace(/\._.*$/, ""),
    code,
    message,
    ...(step?.exitCode === undefined ? {} : { exitCode: step.exitCode }),
    log: step === undefined ? "" : known.lastLines(step.digest),
    paths: [component, ...(step === undefined ? [] : known.componentsOf(step.digest))],
  };
}

/** What a hook is told of an outcome; undefined when it does not run for it. */
export function eventFor(hook: Hook, { status, failures, settled }: Outcome): HookEvent | undefined {
  const whole = hook.of.length === 0;
  const own = whole ? failures : failures.filter(({ paths }) => paths.some((path) => hook.needs.some((need) => isWithin(path, need))));
  const became = status !== "failure" || whole || own.length > 0 ? status : settled ? "success" : "cancelled";
  const runs = { start: became === "running", error: became === "failure", success: became === "success", exit: became !== "running" };
  if (!runs[hook.on]) return undefined;
  return { on: hook.on, status: became, of: hook.of, failures: own.map(({ paths: _, ...failure }) => failure) };
}
