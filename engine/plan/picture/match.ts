// Finds the steps of a graph in a run of an earlier graph of the same config.
import type { StepData } from "../../../compiler/index.ts";
import type { RecordedStep, RunRecord } from "../record.ts";

/**
 * The step of the run for each step number: the same digest, or else the same words in the same component. A step that runs always, and
 * all that comes after it, has another digest in every run.
 */
export function matchSteps(steps: readonly StepData[], digests: ReadonlyMap<number, string>, record: RunRecord): Map<number, RecordedStep> {
  const byDigest = new Map(record.steps.map((step) => [step.digest, step]));
  const found = new Map<number, RecordedStep>();
  for (const { id } of steps) {
    const same = byDigest.get(digests.get(id) ?? "");
    if (same !== undefined) found.set(id, same);
  }
  const taken = new Set(found.values());
  const left = new Map<string, RecordedStep[]>();
  for (const step of record.steps) {
    if (taken.has(step)) continue;
    const key = JSON.stringify([step.component, step.name]);
    left.set(key, [...(left.get(key) ?? []), step]);
  }
  for (const { id, component, name } of steps) {
    if (found.has(id)) continue;
    const next = left.get(JSON.stringify([component, name]))?.shift();
    if (next !== undefined) found.set(id, next);
  }
  return found;
}
