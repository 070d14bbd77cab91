// How a run ended, as its row says it.
import { UserError } from "../../compiler/index.ts";
import type { UpResult } from "../events.ts";
import type { JobFacts } from "../observers.ts";
import type { Json, RunEnd } from "../store/index.ts";

/** Somebody asked twice for the same. */
export function runExists(id: string): UserError {
  const hint = `See what became of it: dagger history show ${id}`;
  return new UserError(2, [{ code: "run-exists", message: `The run ${id} was submitted with this key before`, at: [], hint }]);
}

export function endOf(error: unknown): "failed" | "cancelled" {
  if (!(error instanceof UserError)) return "failed";
  return error.exit === 130 || error.diagnostics.some(({ code }) => code === "run-superseded") ? "cancelled" : "failed";
}

/** What is told of a run at its end beside its state. */
export function summaryOf({
  result,
  error,
  facts,
}: {
  readonly result: UpResult | undefined;
  readonly error: unknown;
  readonly facts: JobFacts | undefined;
}): Pick<RunEnd, "summary" | "reason" | "category"> {
  const diagnostics = error instanceof UserError ? error.diagnostics : [];
  const [first] = diagnostics;
  const summary = {
    ...(result === undefined
      ? {}
      : { steps: result.steps, ms: result.ms, saved: result.saved, images: result.images, passes: result.passes }),
    ...(facts === undefined ? {} : { definition: facts.definition }),
    ...(error === undefined ? {} : { exit: error instanceof UserError ? error.exit : 1, errors: diagnostics }),
  };
  return {
    // Only data is in it.
    summary: JSON.parse(JSON.stringify(summary)) as Json,
    ...(error === undefined ? {} : { reason: (first?.code ?? "internal").replace(/^run-/, ""), category: categoryOf(error) }),
  };
}

/** A wrong config and a failing command are the user's; a missing daemon is not. */
function categoryOf(error: unknown): "user" | "infra" {
  return error instanceof UserError && error.exit !== 3 ? "user" : "infra";
}

/** What the components gave: values, images, directories. The one of the path "" has the whole config's values. */
export function outputsOf(result: UpResult | undefined, state: string): { component: string; value: Json }[] {
  if (result === undefined) return [];
  const outputs = new Map<string, Json>();
  // Of several in one component each goes by its op, so that none hides another.
  const places = [...result.saved, ...result.images].map(({ path }) => path);
  const alone = (path: string): boolean => places.filter((other) => componentOf(other) === componentOf(path)).length === 1;
  const add = (path: string, value: Json): void => {
    const component = componentOf(path);
    outputs.set(component !== "" && alone(path) && !Object.hasOwn(result.computed, component) ? component : path, value);
  };
  for (const { path, dest } of result.saved) add(path, { dest });
  for (const { path, ref, digest } of result.images) add(path, { ref, digest });
  for (const [path, value] of Object.entries(result.computed)) outputs.set(path, value as Json);
  outputs.delete("");
  // What a run that failed gave is kept by component; its config as a whole has no values.
  if (state === "done") outputs.set("", result.values as Json);
  return [...outputs].map(([component, value]) => ({ component, value }));
}

/** The component that an op belongs to: `app` of `app.#up[4]`. */
export function componentOf(path: string): string {
  return path.replace(/[.]?#up\b.*$/, "");
}
