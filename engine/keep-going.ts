// --keep-going: components are solved apart, so that one that fails stops none that does not need it.
import type { Diagnostic, Job } from "../compiler/index.ts";
import { UserError } from "../compiler/index.ts";
import { type Build, SolveError } from "../runtime/solve/index.ts";
import type { Step, UpResult } from "./events.ts";
import { explainFailure } from "./failure.ts";

/** How many components are solved at the same time; the daemon has its own limit for steps. */
const atOnce = 64;

/** Ends with every failure of a run that kept going, after what succeeded was put in place. */
export class KeptError extends UserError {
  /** What the other components gave. */
  readonly result: UpResult;

  constructor(failures: readonly SolveError[], steps: { step(digest: string): Step | undefined }, result: UpResult) {
    super(1, explainAll(failures, steps));
    this.name = "KeptError";
    this.result = result;
  }
}

/** A step that several components need fails once. */
function explainAll(failures: readonly SolveError[], steps: { step(digest: string): Step | undefined }): Diagnostic[] {
  const byVertex = new Map(failures.map((error, index) => [error.failure.vertex ?? String(index), error]));
  return [...byVertex.values()].flatMap((error) => {
    const explained = explainFailure(error, steps);
    return explained instanceof UserError ? [...explained.diagnostics] : error.diagnostics;
  });
}

/**
 * Solves every component of a job apart, inside one build. Throws what is no failure of a component: a lost connection, an interrupt.
 * What several of them need the daemon makes once.
 */
export async function solveApart(build: Build, job: Job): Promise<{ succeeded: ReadonlySet<string>; failures: SolveError[] }> {
  const succeeded = new Set<string>();
  const failures: SolveError[] = [];
  const waiting = job.graph.components.map(({ path }) => path);
  const solveNext = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const { definition } = job.part(new Set([path]));
      try {
        if (definition.ops.length > 0) await build.solve(definition.encoded);
        succeeded.add(path);
      } catch (error) {
        if (!(error instanceof SolveError) || error.exit !== 1) throw error;
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, waiting.length) }, solveNext));
  return { succeeded, failures };
}
