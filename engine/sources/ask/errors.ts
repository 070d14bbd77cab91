// What is told when a source cannot be asked: it is not there (any more), or nobody answers.
import { inputError, UserError } from "../../../compiler/index.ts";

export function gone(source: string, why: string, hint?: string): Error {
  const again = `Correct where it is: dagger source pin ${source} LOCATION; what is known of it stays`;
  return inputError({ code: "source-gone", message: `The source ${source} is not there: ${why}`, at: [], hint: hint ?? again });
}

export function unreachable(source: string, why: string, cause?: unknown): UserError {
  const hint = "Check the network and its credentials; a connector of the workspace may give them";
  return new UserError(3, [{ code: "source-unreachable", message: `Cannot ask the source ${source}: ${why}`, at: [], hint }], { cause });
}

/** What the daemon says of an image or address, shortened to its cause. */
export function refused(source: string, error: unknown): Error {
  if (error instanceof UserError && error.exit !== 1) return error;
  const text = error instanceof Error ? error.message : String(error);
  const why = text.split("\n")[0] ?? "";
  return /not found|404|does not exist|manifest unknown|name unknown/i.test(why) ? gone(source, why) : unreachable(source, why, error);
}
