// When a job must stop asking for passes: the values that CUE waits for are not going to come.

import type { Deferred, Job, UserError } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";

/** True when a pass computed nothing that the pass before had not: the same components wait for the same values. */
export function noProgress(before: Job, now: Job): boolean {
  return fingerprint(before) === fingerprint(now);
}

function fingerprint(job: Job): string {
  const waiting = job.deferred.map((component) => `${component.path}<${component.missing.map((missing) => missing.path).join(",")}`);
  return JSON.stringify([waiting, job.values.map((value) => value.path), job.images.flatMap((image) => image.values)]);
}

/** What to tell a user whose components wait for ever. */
export function stuckError(job: Job): UserError {
  return inputError(...job.deferred.map(explain));
}

function explain(component: Deferred): Parameters<typeof inputError>[0] {
  const names = component.missing.map((missing) => missing.path);
  return {
    code: "missing-value",
    message:
      names.length === 0
        ? `Component ${component.path || "(root)"} cannot be computed: CUE cannot complete it`
        : `Component ${component.path || "(root)"} cannot be computed: ${names.join(", ")} ${names.length === 1 ? "has" : "have"} no value`,
    path: component.path,
    at: [...component.missing.flatMap((missing) => missing.at), ...component.at],
    hint: names[0] === undefined ? "Give the values that it refers to" : `Set it in the config, or pass it with -i ${names[0]}=…`,
  };
}
