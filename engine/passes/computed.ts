// Computed values: what `export` ops wrote, read back and filled into the config, whose constraints they must satisfy.

import type { Job } from "../../compiler/index.ts";
import { placeInConfig, UserError } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import { decodeValue } from "./decode.ts";

export interface Computed {
  /** CUE path of the component. */
  readonly path: string;
  /** The component that made it, when `path` is only one of the places where that stands. */
  readonly component?: string;
  /** JSON text. */
  readonly json: string;
}

/** Reads every value of a job; all that are wrong are reported together. */
export async function readComputed(job: Job, read: (file: string) => Promise<Uint8Array> | Uint8Array): Promise<Computed[]> {
  const wrong: UserError[] = [];
  const computed: Computed[] = [];
  const components = new Map<string, string>();
  for (const output of job.values) {
    const component = components.get(output.file) ?? output.path;
    components.set(output.file, component);
    try {
      computed.push({ path: output.path, component, json: await decodeValue(output, await read(output.file)) });
    } catch (error) {
      if (!(error instanceof UserError) || error.exit !== 1) throw error;
      wrong.push(error);
    }
  }
  if (wrong.length > 0)
    throw new UserError(
      1,
      wrong.flatMap((error) => error.diagnostics),
    );
  return computed;
}

/** Fills all values at once. A value that breaks a constraint of the config fails the job: constraints are post-conditions. */
export async function fillComputed(evaluation: Evaluation, computed: readonly Computed[]): Promise<Evaluation> {
  if (computed.length === 0) return evaluation;
  try {
    return await evaluation.fill(
      computed.map(({ path, json, component = path }) => ({ path, json, origin: `export of ${component}`, elements: true })),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      1,
      placeInConfig(error.diagnostics, evaluation.root).map((diagnostic) => ({
        ...diagnostic,
        code: "post-condition",
        message: `A computed value does not satisfy the config: ${diagnostic.message}`,
        hint: diagnostic.hint ?? "The step exported a value that its CUE constraint refuses",
      })),
      { cause: error },
    );
  }
}
