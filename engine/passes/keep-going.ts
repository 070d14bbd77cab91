// --keep-going: components are solved apart, so that one that fails stops none that does not need it.
import type { Deferred, Diagnostic, ImageOutput, Job } from "../../compiler/index.ts";
import { isWithin, UserError } from "../../compiler/index.ts";
import { type Build, SolveError } from "../../runtime/solve/index.ts";
import type { DoneImage, ImageExports } from "../build/exports.ts";
import { explainFailure } from "../build/failure.ts";
import type { StepTracker } from "../build/steps.ts";
import type { UpResult } from "../events.ts";
import type { ErrorShell } from "../shell/error-shell.ts";

/** How many components are solved at the same time; the daemon has its own limit for steps. */
const atOnce = 64;

/** Ends with every failure of a run that kept going, after what succeeded was put in place. */
export class KeptError extends UserError {
  /** What the other components gave. */
  readonly result: UpResult;

  /** `findings`: what `explainAll` says of the failures. */
  constructor(findings: readonly Diagnostic[], result: UpResult) {
    super(1, findings);
    this.name = "KeptError";
    this.result = result;
  }
}

/** A step that several components and images need fails once. */
export function explainAll(failures: readonly UserError[], steps: StepTracker): Diagnostic[] {
  const distinct = new Map(failures.map((error) => [keyOf(error), error]));
  const told = [...distinct.values()].flatMap((error) => {
    const explained = explainFailure(error, steps);
    return explained instanceof UserError ? [...explained.diagnostics] : error.diagnostics;
  });
  return told.sort(byPlace);
}

/** In the order of the files' lines: whichever failed first is chance. */
function byPlace({ at: [a] }: Diagnostic, { at: [b] }: Diagnostic): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
}

function keyOf(error: UserError): string {
  return (error instanceof SolveError ? error.failure.vertex : undefined) ?? JSON.stringify(error.diagnostics);
}

/** What went wrong so far in a run that keeps going, over all its passes. */
export class Kept {
  readonly failures: UserError[] = [];
  /** Components that failed, or need a step that did: no later pass tries them again. */
  readonly failed: Set<string> = new Set();
  readonly #steps = new Set<string>();
  /** Keys of images that could not be made. */
  readonly #images = new Set<string>();
  /** CUE paths whose values were filled in. */
  readonly #known = new Set<string>();
  readonly #shell: ErrorShell;

  constructor(shell: ErrorShell) {
    this.#shell = shell;
  }

  /**
   * Solves every component of a job apart, inside one build; gives those that succeeded. What several of them need the daemon makes once.
   * Throws what is no failure of a component: a lost connection, an interrupt.
   */
  async solve(build: Build, job: Job): Promise<Set<string>> {
    const succeeded = new Set<string>();
    const waiting = job.graph.components.map(({ path }) => path).filter((path) => !this.failed.has(path));
    const solveNext = async (): Promise<void> => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        const { definition } = job.part(new Set([path]));
        if (definition.nodes.some(({ digest }) => this.#steps.has(digest))) {
          this.failed.add(path);
          continue;
        }
        try {
          if (definition.ops.length > 0) await this.#shell.watch(build, build.solve(definition.encoded));
          succeeded.add(path);
        } catch (error) {
          this.failed.add(path);
          this.#keep(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, solveNext));
    return succeeded;
  }

  /** Images of which none stops another; gives those that were made. */
  async images(exports: ImageExports, outputs: readonly ImageOutput[]): Promise<DoneImage[]> {
    const settled = await Promise.allSettled(exports.start(outputs));
    return settled.flatMap((one, index) => {
      if (one.status === "fulfilled") return [one.value];
      this.#images.add(outputs[index]?.key ?? "");
      this.#keep(one.reason);
      return [];
    });
  }

  /** Notes components whose values are wrong. */
  refuse(failures: ReadonlyMap<string, UserError>): void {
    for (const [path, error] of failures) {
      this.failed.add(path);
      this.failures.push(error);
    }
  }

  /** Notes values that were filled in. */
  know(paths: readonly string[]): void {
    for (const path of paths) this.#known.add(path);
  }

  /** Whether nothing that this job can still give is what its deferred components wait for. */
  isHopeless(job: Job): boolean {
    if (this.failures.length === 0) return false;
    const values = job.values.filter(({ path }) => !this.failed.has(path)).map(({ path }) => path);
    const digests = job.images.filter(({ key }) => !this.#images.has(key)).flatMap((image) => image.values);
    const fresh = [...values, ...digests].filter((path) => !this.#known.has(path));
    const waited = job.deferred.flatMap(({ missing }) => missing.map(({ path }) => path));
    return !waited.some((path) => fresh.some((given) => isWithin(path, given)));
  }

  /** Tells what could not be run because of what failed. */
  leave(deferred: readonly Deferred[]): void {
    for (const one of deferred) this.failures.push(new UserError(1, [notRun(one)]));
  }

  #keep(error: unknown): void {
    if (!(error instanceof UserError) || error.exit !== 1) throw error;
    if (error instanceof SolveError && error.failure.vertex !== undefined) this.#steps.add(error.failure.vertex);
    this.failures.push(error);
  }
}

function notRun({ path, missing, hosts = [], at }: Deferred): Diagnostic {
  if (missing.length === 0) {
    return { code: "not-run", message: `${path || "The config"} was not run because ${hosts.join(", ")} failed`, path, at };
  }
  const names = missing.map((one) => one.path);
  return {
    code: "not-run",
    message: `${path || "The config"} was not run because ${names.join(", ")} ${names.length === 1 ? "has" : "have"} no value: what gives ${names.length === 1 ? "it" : "them"} failed`,
    path,
    at,
  };
}
