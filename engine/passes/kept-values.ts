// Values of a run that keeps going: one that cannot be read, or that the config refuses, is a failure of its component alone.
import type { Job } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import type { Computed } from "./computed.ts";
import { fillComputed, readComputed } from "./computed.ts";

/** The values that are right, and what is wrong with the others, by the CUE path of their component. */
export interface Sorted {
  readonly computed: readonly Computed[];
  readonly failures: ReadonlyMap<string, UserError>;
}

/** Reads every value of a job. Throws what is no failure of the job. */
export async function readWhatCan(job: Job, read: (file: string) => Promise<Uint8Array> | Uint8Array): Promise<Sorted> {
  const failures = new Map<string, UserError>();
  const computed: Computed[] = [];
  for (const value of job.values) {
    const one = await orFailure(readComputed({ ...job, values: [value] }, read));
    if (one instanceof UserError) failures.set(value.path, one);
    else computed.push(...one);
  }
  return { computed, failures };
}

/** Fills all values that the config takes. */
export async function fillWhatFits(evaluation: Evaluation, computed: readonly Computed[]): Promise<Sorted & { evaluation: Evaluation }> {
  const all = await orFailure(fillComputed(evaluation, computed));
  if (!(all instanceof UserError)) return { evaluation: all, computed, failures: new Map() };
  const failures = new Map<string, UserError>();
  for (const value of computed) {
    const alone = await orFailure(fillComputed(evaluation, [value]));
    if (alone instanceof UserError) failures.set(value.path, alone);
  }
  // Where each value fits by itself and all of them do not, nobody can say which one is wrong.
  if (failures.size === 0) return { evaluation, computed: [], failures: new Map(computed.map(({ path }) => [path, all])) };
  const fitting = computed.filter(({ path }) => !failures.has(path));
  const rest = await fillWhatFits(evaluation, fitting);
  return { ...rest, failures: new Map([...failures, ...rest.failures]) };
}

async function orFailure<T>(work: Promise<T>): Promise<T | UserError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UserError && error.exit === 1) return error;
    throw error;
  }
}
