// Waits for work that goes on at the same time, and tells everything that went wrong with it at once.
import { UserError } from "../diagnostic.ts";

/** Waits for all. Throws a bug as it is; what users did wrong is told all together. */
export async function allDone(work: Iterable<Promise<unknown>>): Promise<void> {
  const settled = await Promise.allSettled(work);
  // Who waits for another one fails with the same error: each counts once.
  const failures = [...new Set(settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])))];
  const bug = failures.find((failure) => !(failure instanceof UserError));
  if (bug !== undefined) throw bug instanceof Error ? bug : new Error("Building the graph failed", { cause: bug });
  const [first, ...more] = failures as UserError[];
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const diagnostics = [first, ...more].flatMap((failure) => failure.diagnostics);
  throw new UserError(first.exit, diagnostics, { cause: first });
}
