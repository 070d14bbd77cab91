// Asks the person at a terminal for the inputs that a run lacks, and keeps the answers for the environment.
import { createInterface } from "node:readline/promises";
import type { ConfigInput, MissingRequest } from "../engine/index.ts";
import type { Context } from "./context.ts";
import { surroundings } from "./context.ts";
import { toFailure, UsageError } from "./failure.ts";
import type { Io } from "./io.ts";
import { wantsColour } from "./io.ts";
import { formatDiagnostics } from "./output/errors.ts";
import { createLineReader } from "./output/excerpt.ts";
import { clean } from "./output/lines.ts";
import { createStyle } from "./output/style.ts";

/** Somebody sits there: not in CI, and not when input or messages go elsewhere. */
export function canAsk({ env, stderr }: Io): boolean {
  const inCi = !["", "0", "false"].includes((env["CI"] ?? "").toLowerCase());
  return !inCi && stderr.isTTY && process.stdin.isTTY === true;
}

/** True when anything was set. A mistake in the config is left to the run, which tells it. Ctrl-D ends the questions. */
export async function askForMissing(context: Context, request: MissingRequest): Promise<boolean> {
  const { missingInputs } = await (await import("../engine/index.ts")).loadStacks();
  const missing = await missingInputs(request).catch(() => []);
  if (missing.length === 0) return false;
  const { io, signal } = context;
  io.stderr.write(
    `${missing.length === 1 ? "One input has" : `${missing.length} inputs have`} no value yet; answers are kept for this environment\n`,
  );
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal in the hands of readline gives Ctrl-C to it alone.
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    let asked = false;
    for (const input of missing) {
      if (!(await askUntilItFits(context, input, request, (question) => answer(lines, question, signal)))) break;
      asked = true;
    }
    return asked;
  } finally {
    lines.close();
  }
}

type Ask = (question: string) => Promise<string | undefined>;

/** False when there is no more to come. */
async function askUntilItFits(context: Context, input: ConfigInput, { stack }: MissingRequest, ask: Ask): Promise<boolean> {
  const { setInputs } = await (await import("../engine/index.ts")).loadStacks();
  const { io } = context;
  const style = createStyle(wantsColour(io.stderr, io.env));
  if (input.title !== "") io.stderr.write(`${style.dim(clean(input.title))}\n`);
  for (;;) {
    const text = await ask(`${style.bold(clean(input.path))} ${style.dim(`(${clean(expected(input))})`)}: `);
    if (text === undefined) return false;
    if (text.trim() === "") continue;
    try {
      const where = { ...surroundings(context), ...(stack === undefined ? {} : { stack: stack.stack, environment: stack.environment }) };
      await setInputs(where, [{ path: input.path, text, kind: input.kind }]);
      return true;
    } catch (error) {
      const { exit, diagnostics } = toFailure(error, context.signal.aborted);
      if (exit !== 2) throw error;
      io.stderr.write(formatDiagnostics(diagnostics, { style, columns: io.stderr.size().columns, readLine: createLineReader(io.cwd) }));
    }
  }
}

/** What to type. */
function expected({ kind, type }: ConfigInput): string {
  switch (kind) {
    case "secret":
      return "where the secret comes from: env:NAME, file:PATH, age:NAME, vault:PATH#FIELD or cmd:COMMAND";
    case "socket":
      return "path of a socket or key";
    case "directory":
      return "path of a directory";
    default:
      return type === "" || type === "_" ? kind : type;
  }
}

async function answer(lines: ReturnType<typeof createInterface>, question: string, signal: AbortSignal): Promise<string | undefined> {
  const closed = new Promise<undefined>((done) => lines.once("close", () => done(undefined)));
  return Promise.race([lines.question(question, { signal }), closed]);
}

/** Throws UsageError where nobody can be asked, and where the answer is no. */
export async function confirm({ io, signal }: Context, question: string, yes = false): Promise<void> {
  if (yes) return;
  const say = (message: string, hint: string): never => {
    throw new UsageError({ code: "not-confirmed", message, at: [], hint });
  };
  if (!canAsk(io)) say("Nothing is deleted: nobody can be asked here", "Add --yes");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const text = await answer(lines, `${clean(question)} [y/N] `, signal);
    if (!/^y(es)?$/i.test(text?.trim() ?? "")) say("Nothing is deleted", "Answer y, or add --yes");
  } finally {
    lines.close();
  }
}
