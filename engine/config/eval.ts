// Shows what a config, or an expression in it, evaluates to.
import { inputError } from "../../compiler/index.ts";
import type { Show } from "../../runtime/cue/index.ts";
import type { ReadRequest } from "../request.ts";
import { readConfig } from "./config.ts";

export interface EvalRequest extends ReadRequest {
  /** CUE in the scope of the config, e.g. a path; the whole config without it. */
  readonly expression?: string;
  readonly format: Show["format"];
  /** Hidden and optional fields, too; only for `cue`. */
  readonly all?: boolean;
  /** A value that is not known is an error; it always is for the other formats than `cue`. */
  readonly concrete?: boolean;
  readonly signal: AbortSignal;
}

/** Text, ending with a newline: what `cue eval` prints for the format `cue`, and `cue export` for the others. Throws UserError (2). */
export async function evaluate(request: EvalRequest): Promise<string> {
  const { expression, format, all = false, concrete = false } = request;
  if (expression !== undefined && expression.trim() === "") {
    throw inputError({ code: "bad-expression", message: "The expression is empty", at: [], hint: "Write for example: -e app.name" });
  }
  return readConfig(request, async ({ evaluator, source, fills }) => {
    const shown = await evaluator.show(source, fills, { expression: expression ?? "", format, all, concrete });
    await evaluator.close();
    return shown;
  });
}
