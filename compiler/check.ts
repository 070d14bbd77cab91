// Finds what is wrong with the ops of a config whose values are wrong already, so that a person is told everything at once.
import type { Diagnostic } from "./diagnostic.ts";
import { orderDiagnostics } from "./diagnostic.ts";
import { isWithin } from "./graph/paths.ts";
import { select } from "./graph/select.ts";
import { placeInConfig } from "./ops/place.ts";
import { readOps } from "./ops/read.ts";
import type { Value } from "./value.ts";

/**
 * `known` mistakes with those of the ops, by place, without what only follows from the known ones. With `guessed`, references to nothing
 * stand in the values as any value: then nobody can tell what is missing.
 */
export function withOpMistakes(root: Value, known: readonly Diagnostic[], guessed: boolean): Diagnostic[] {
  const workflow = readOps(root);
  const problems = placeInConfig([...workflow.problems, ...select(workflow).problems], workflow.root.value);
  const more = problems.filter(
    (problem) => !(guessed && unknowable.has(problem.code)) && !known.some((one) => follows(problem, one, guessed)),
  );
  return orderDiagnostics([...placeInConfig(known, workflow.root.value), ...more]);
}

/** What a reference to nothing may be the cause of. */
const unknowable: ReadonlySet<string> = new Set(["missing-value", "export-type"]);

/** A mistake in a value shows again in the op that needs it, and in what lies above and below it. */
function follows(problem: Diagnostic, known: Diagnostic, guessed: boolean): boolean {
  if (problem.code.startsWith("cue-")) return true;
  if (related(problem.path ?? "", known.path ?? "")) return true;
  const [first] = problem.at;
  if (first === undefined) return guessed;
  // A reference to nothing has a place in an expression, and the op that lacks what it should have brought starts before it.
  return known.at.some((at) => at.file === first.file && at.line === first.line && (guessed || at.column === first.column));
}

function related(a: string, b: string): boolean {
  return a !== "" && b !== "" && (isWithin(a, b) || isWithin(b, a));
}
