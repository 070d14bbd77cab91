// What is wrong with a run, in the terms of the stack that it is of: which command mends it.
import type { Diagnostic } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import type { StackRun } from "../request.ts";
import { command } from "./fills.ts";

/** The same error with hints that name settings; anything else stays as it is. */
export function inStackTerms(error: unknown, stack: Pick<StackRun, "stack" | "environment"> | undefined): unknown {
  if (stack === undefined || !(error instanceof UserError) || "result" in error) return error;
  const hints = error.diagnostics.map((diagnostic) => {
    const hint = hintFor(diagnostic, stack);
    return hint === undefined ? diagnostic : { ...diagnostic, hint };
  });
  return new UserError(error.exit, hints, { cause: error });
}

function hintFor(
  { code, path, message, at }: Diagnostic,
  { stack, environment }: Pick<StackRun, "stack" | "environment">,
): string | undefined {
  const set = command("set", stack, environment);
  const name = /"([^"]*)"/.exec(message)?.[1] ?? "NAME";
  switch (code) {
    case "missing-value":
      return path === undefined ? undefined : `Set it: ${set} ${path} VALUE`;
    case "missing-secret":
      return `Set where it comes from: ${set} ${name} env:NAME --kind secret`;
    case "missing-ssh":
      return `Set its socket or key: ${set} ${name} PATH --kind socket`;
    case "cue-unknown-field": {
      const setting = at.map(({ file }) => /^setting (.*)$/.exec(file)?.[1]).find((one) => one !== undefined);
      return setting === undefined
        ? undefined
        : `The config has lost this input; forget it: ${command("unset", stack, environment)} ${setting}`;
    }
    default:
      return undefined;
  }
}
