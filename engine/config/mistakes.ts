// All mistakes of a config at once: those of its values, and those of the ops in what CUE could compute all the same.
import { UserError, withOpMistakes } from "../../compiler/index.ts";
import { WrongValues } from "../../runtime/cue/index.ts";

/** The error to tell a person instead of one that came up while a config was evaluated. */
export function withAllMistakes(error: unknown): unknown {
  if (!(error instanceof WrongValues)) return error;
  return new UserError(error.exit, withOpMistakes(error.root, error.diagnostics, error.guessed), { cause: error });
}
