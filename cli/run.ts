// Runs one command line: parses it, prints what goes wrong, and gives the exit code.
import type { Context } from "./context.ts";
import { HelpShown, toFailure, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { formatFailure } from "./output/failure.ts";
import { chooseProgress } from "./output/progress.ts";
import { formatJson } from "./output/table.ts";
import { createProgram } from "./program/program.ts";

/** Exit code of the command line `argv` (without node and script). Never throws. */
export async function run(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const cut = argv[0] === "shell" ? argv.indexOf("--") : -1;
  const [own, rest] = cut === -1 ? [argv, []] : [argv.slice(0, cut), argv.slice(cut + 1)];
  const context: Context = { io, signal, argv: own, rest };
  try {
    if (argv.length === 0) {
      createProgram(context).outputHelp({ error: true });
      return 2;
    }
    const asksVersion = argv[0] === "--version" || argv[0] === "-V";
    await createProgram(context, argv[0]).parseAsync(asksVersion ? ["version", ...argv.slice(1)] : [...own], { from: "user" });
    return context.exitCode ?? 0;
  } catch (error) {
    if (error instanceof HelpShown) return error.exit;
    return report(error, own, context);
  }
}

/** Prints an error to stderr, and as a document to stdout where the command was asked for one. */
async function report(error: unknown, argv: readonly string[], { io, signal }: Context): Promise<number> {
  const failure = toFailure(error, signal.aborted);
  // A command that told everything itself (doctor) fails without findings.
  if (failure.diagnostics.length === 0) return failure.exit;
  const { printed: _, ...told } = failure;
  io.stderr.write(
    asksForJsonProgress(argv, io) ? `${JSON.stringify({ type: "error", time: io.now(), ...told })}\n` : formatFailure(failure, io),
  );
  if (argv.includes("--debug") && !(error instanceof UsageError)) io.stderr.write((await import("./trace.ts")).trace(error));
  // What a command printed there itself has all of it.
  const output = failure.printed === true ? undefined : flagValue(argv, "--output");
  if (output === "json") io.stdout.write(formatJson(failure));
  if (output === "yaml") io.stdout.write((await import("yaml")).stringify(failure, { lineWidth: 0 }));
  return failure.exit;
}

/** Who reads JSON lines from stderr gets nothing else there. */
function asksForJsonProgress(argv: readonly string[], io: Io): boolean {
  return (
    ["up", "compute", "shell", "test", "watch"].includes(argv[0] ?? "") &&
    chooseProgress(flagValue(argv, "--progress"), io.env, io.stderr.isTTY) === "json"
  );
}

/** Reads a flag from the raw arguments: it counts also when the rest of them could not be parsed. */
function flagValue(argv: readonly string[], flag: string): string | undefined {
  const index = argv.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (index === -1) return undefined;
  return argv[index] === flag ? argv[index + 1] : argv[index]?.slice(flag.length + 1);
}
