// What went wrong, as an exit code and findings: every error that a command throws passes through here.
import type { CommanderError } from "commander";
import type { Diagnostic, UpResult } from "../engine/index.ts";
import type { Failure } from "./output/errors.ts";

/** A mistake on the command line itself. The engine's UserError has the same shape; neither needs the other to be loaded. */
export class UsageError extends Error {
  readonly exit = 2;
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.name = "UsageError";
    this.diagnostics = [diagnostic];
  }
}

/** A job that failed, by a command that has printed its own document on stdout. */
export class PrintedError extends Error {
  readonly exit = 1;
  readonly printed = true;
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ message }) => message).join("\n"));
    this.name = "PrintedError";
    this.diagnostics = diagnostics;
  }
}

/** Words of commander's error codes that users may branch on. */
const usageCodes: Readonly<Record<string, string>> = {
  "commander.unknownOption": "unknown-flag",
  "commander.unknownCommand": "unknown-command",
  "commander.missingArgument": "missing-argument",
  "commander.optionMissingArgument": "missing-flag-value",
  "commander.invalidArgument": "bad-flag-value",
  "commander.excessArguments": "too-many-arguments",
  "commander.conflictingOption": "conflicting-flags",
};

/** Thrown when help was printed and nothing is left to do. */
export class HelpShown extends Error {
  /** 0 when help was asked for, 2 when it was printed because the command line was not complete. */
  readonly exit: 0 | 2;

  constructor(exit: 0 | 2) {
    super("help was shown");
    this.exit = exit;
  }
}

/** What commander throws instead of ending the process; `command` is the command that was typed, e.g. `dagger up`. */
export function usageError(error: CommanderError, command: string): UsageError | HelpShown {
  if (error.code === "commander.helpDisplayed") return new HelpShown(0);
  if (error.code === "commander.help") return new HelpShown(error.exitCode === 0 ? 0 : 2);
  // Commander puts its suggestion into the message, in brackets on a line of its own.
  const [, text = error.message, suggestion] = /^(?:error: )?(.*?)(?:\n?\((Did you mean .*\?)\))?$/s.exec(error.message) ?? [];
  const message = text.trim().replace(/\.$/, "");
  return new UsageError({
    code: usageCodes[error.code] ?? "bad-usage",
    message: message.charAt(0).toUpperCase() + message.slice(1),
    at: [],
    hint: suggestion ?? `Run \`${command} --help\` to see what it takes`,
  });
}

/**
 * Exit code and findings of anything thrown. Whatever is no UserError is a bug of dagger (one line, exit 1), unless the
 * person had already asked to stop: then it is part of stopping (exit 130).
 */
export function toFailure(error: unknown, interrupted: boolean): Failure {
  if (isUserError(error)) {
    const { exit, diagnostics, result, printed } = error;
    return { exit, diagnostics, ...(result === undefined ? {} : { result }), ...(printed === true ? { printed } : {}) };
  }
  if (interrupted) return { exit: 130, diagnostics: [{ code: "interrupted", message: "Interrupted", at: [] }] };
  const message = error instanceof Error ? error.message : String(error);
  const diagnostic = {
    code: "internal",
    message: `Internal error: ${message}`,
    at: [],
    hint: "This is a bug in dagger; run again with --debug to see where",
  };
  return { exit: 1, diagnostics: [diagnostic] };
}

interface UserErrorShape {
  readonly exit: number;
  readonly diagnostics: readonly Diagnostic[];
  /** What was finished in spite of the error. */
  readonly result?: UpResult;
  readonly printed?: boolean;
}

function isUserError(error: unknown): error is UserErrorShape {
  return (
    error instanceof Error &&
    "diagnostics" in error &&
    Array.isArray(error.diagnostics) &&
    "exit" in error &&
    typeof error.exit === "number"
  );
}
