// Runs one command line: parses it, prints what goes wrong, and gives the exit code.
import type { Context } from "./context.ts";
import { HelpShown, toFailure, trace, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { wantsColour } from "./io.ts";
import type { Failure } from "./output/errors.ts";
import { formatDiagnostics } from "./output/errors.ts";
import { createLineReader } from "./output/excerpt.ts";
import { createStyle } from "./output/style.ts";
import { createProgram } from "./program.ts";

/** Exit code of the command line `argv` (without node and script). Never throws. */
export async function run(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const context: Context = { io, signal };
  try {
    if (argv.length === 0) {
      createProgram(context).outputHelp({ error: true });
      return 2;
    }
    const asksVersion = argv[0] === "--version" || argv[0] === "-V";
    await createProgram(context).parseAsync(asksVersion ? ["version", ...argv.slice(1)] : [...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof HelpShown) return error.exit;
    return report(error, argv, context);
  }
}

/** Prints an error to stderr, and as a document to stdout where the command was asked for one. */
async function report(error: unknown, argv: readonly string[], { io, signal }: Context): Promise<number> {
  const failure = toFailure(error, signal.aborted);
  const style = createStyle(wantsColour(io.stderr, io.env));
  const columns = io.stderr.isTTY ? io.stderr.size().columns : 160;
  if (failure.diagnostics.length > 0)
    io.stderr.write(formatDiagnostics(failure.diagnostics, { style, columns, readLine: createLineReader() }));
  if (argv.includes("--debug") && !(error instanceof UsageError)) io.stderr.write(trace(error));
  const format = askedOutput(argv);
  // A command that told everything itself (doctor) fails without findings.
  if (format !== undefined && failure.diagnostics.length > 0) io.stdout.write(await encodeFailure(failure, format));
  return failure.exit;
}

/** Reads --output from the raw arguments: it counts also when the rest of them could not be parsed. */
function askedOutput(argv: readonly string[]): "json" | "yaml" | undefined {
  const index = argv.findIndex((arg) => arg === "--output" || arg.startsWith("--output="));
  const arg = argv[index] ?? "";
  const word = arg === "--output" ? argv[index + 1] : arg.slice("--output=".length);
  return word === "json" || word === "yaml" ? word : undefined;
}

async function encodeFailure(failure: Failure, format: "json" | "yaml"): Promise<string> {
  if (format === "json") return `${JSON.stringify(failure, null, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(failure);
}
