// Explains a failed job in the user's terms: which op of which component, on which line of CUE, and what it did.
import { constants } from "node:os";
import { type Diagnostic, UserError } from "../../compiler/index.ts";
import type { SolveFailure } from "../../runtime/solve/index.ts";
import { SolveError } from "../../runtime/solve/index.ts";
import type { Step } from "../events.ts";
import type { Mounts, StepTracker } from "./steps.ts";

type FailedStep = NonNullable<Diagnostic["step"]>;

/** What errors are explained with. */
export type KnownSteps = Pick<StepTracker, "failed" | "layerOf" | "mounts" | "step"> & Partial<Pick<StepTracker, "inConfig">>;

/** Whatever ended the job, as an error for people. */
export function explainFailure(error: unknown, steps: KnownSteps): unknown {
  if (!(error instanceof SolveError)) return placed(error, steps);
  const explained = damagedLayer(error, steps) ?? explainStep(error, steps);
  const [told] = explained.diagnostics;
  if (told === undefined || steps.inConfig === undefined) return explained;
  return new SolveError(explained.exit, steps.inConfig(told), explained.failure, explained.cause);
}

/** What steps of this machine and services say of themselves. */
function placed(error: unknown, { inConfig }: KnownSteps): unknown {
  if (inConfig === undefined || !(error instanceof UserError) || error.constructor !== UserError) return error;
  if (error.diagnostics.every((one) => inConfig(one) === one)) return error;
  return new UserError(error.exit, error.diagnostics.map(inConfig), { cause: error.cause });
}

function explainStep(error: SolveError, steps: KnownSteps): SolveError {
  const [told] = error.diagnostics;
  if (told?.code === "cache-export-failed") return error;
  const digest = error.failure.vertex ?? (told?.code === "solve-failed" ? steps.failed(error.failure.reason) : undefined);
  const step = digest === undefined ? undefined : steps.step(digest);
  if (digest === undefined || step === undefined) return error;
  return new SolveError(error.exit, describe(error.failure, step, steps.mounts(digest), told), error.failure, error.cause);
}

/** Layers come when the first step needs them: it is that step which fails, and the image that is to blame. */
function damagedLayer({ failure, cause }: SolveError, steps: KnownSteps): SolveError | undefined {
  const [, layer = "", got = ""] = /"layer-(sha256:\w+)": unexpected commit digest (sha256:\w+)/.exec(failure.reason) ?? [];
  if (layer === "") return undefined;
  // Of what it has from an earlier run the daemon tells no download.
  const image = steps.layerOf(layer);
  const step = image ?? steps.step(failure.vertex ?? "");
  if (step === undefined) return undefined;
  const reason = `${image === undefined ? "the" : "its"} layer ${layer} is damaged: what came has the digest ${got}`;
  const told = {
    code: "layer-damaged",
    message: reason,
    at: [],
    hint: "Push the image again, or look what is between the daemon and its registry; then let the daemon forget what came: dagger prune",
  };
  return new SolveError(1, describe({ reason, code: failure.code, ranges: [] }, step, undefined, told), failure, cause);
}

/** Of these the code says more than that a step failed. */
const ownCodes: ReadonlySet<string> = new Set(["download-stalled", "layer-damaged"]);

function describe(failure: SolveFailure, step: Step, mounts: Mounts | undefined, told: Diagnostic | undefined): Diagnostic {
  const { component, at } = step;
  const of = component === "" ? "" : ` of ${component}`;
  const base = { ...(component === "" ? {} : { path: component }), at, step: describeStep(failure, step, mounts) };
  if (failure.exitCode !== undefined) {
    return {
      code: "command-failed",
      message: `\`${step.name}\`${of} ended with exit code ${failure.exitCode}${signalOf(failure.exitCode)}`,
      ...base,
      hint: exitHint(failure.exitCode),
    };
  }
  if (failure.reason.includes("mount options is too long")) return tooDeep(step.name, of, base);
  return {
    code: told !== undefined && ownCodes.has(told.code) ? told.code : "step-failed",
    message: `\`${step.name}\`${of} failed: ${shorten(failure.reason)}`,
    ...base,
    ...(told?.hint === undefined ? {} : { hint: told.hint }),
  };
}

/** dagger's own are of no use to anybody. */
function isOfUser({ dest }: { readonly dest: string }): boolean {
  return !dest.startsWith("/.dagger/");
}

/** The kernel's limit on stacked filesystems, which says nothing of layers. */
function tooDeep(op: string, of: string, base: Pick<Diagnostic, "at" | "path">): Diagnostic {
  return {
    code: "too-many-layers",
    message: `\`${op}\`${of} failed: the kernel cannot stack as many layers as the ops before it make (some 480)`,
    ...base,
    hint: "Do more in one op, or go on from a fresh filesystem with a `copy` of what is needed",
  };
}

function describeStep({ exitCode, exec }: SolveFailure, { digest, name }: Step, planned: Mounts | undefined): FailedStep {
  const mounts = planned ?? exec?.container.mounts;
  return {
    digest,
    name,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(mounts === undefined ? {} : { mounts: mounts.filter(isOfUser).map(tellMount) }),
  };
}

/** With what the daemon calls it when it cannot be mounted. The id of a cache is of no use to anybody. */
function tellMount({ dest, kind, selector = "", id = "" }: Mounts[number]): NonNullable<FailedStep["mounts"]>[number] {
  const source = kind === "bind" ? selector : kind === "cache" ? "" : id;
  return { dest, kind, ...(source === "" || source === "/" ? {} : { source }) };
}

/** Shells and runtimes tell the signal that ended a process as 128 + its number. */
export function signalOf(code: number): string {
  const [name] = Object.entries(constants.signals).find(([, number]) => number === code - 128) ?? [];
  return name === undefined ? "" : ` (${name})`;
}

/** The meanings that shells and kernels give to exit codes. */
export function exitHint(code: number): string {
  if (code === 126) return "The command was found but cannot be executed: check its mode and its platform";
  if (code === 127) return "The command was not found: check its name, PATH, and that the image has it";
  if (code === 137) return "The process was killed (SIGKILL), perhaps because memory ran out";
  if (code > 128 && code < 160) return `The process was ended by signal ${code - 128}`;
  return "The log of the step says why; to accept this exit code, list it in `validExitCodes`";
}

/** The daemon repeats the process and its arguments, and names snapshots of its own; the step says the one, nobody knows the other. */
function shorten(reason: string): string {
  return reason
    .replace(/^(failed to solve: |failed to compute cache key: |failed to calculate checksum of ref \S+: )+/, "")
    .replace(/^process ".*?" did not complete successfully: /s, "")
    .replace(/^"(.*?)": not found$/, "$1 does not exist there");
}
