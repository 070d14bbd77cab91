// The process: streams, signals and exit code around one command line.
import { toFailure } from "./failure.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { processIo } from "./io.ts";
import { run } from "./run.ts";
import { trace } from "./trace.ts";

const io = processIo();
const showCursor = io.stderr.isTTY ? "\x1b[?25h" : "";

/** Ends the process without waiting for anything. */
function leave(code: number, text: string): never {
  io.stderr.write(showCursor + text);
  process.exit(code);
}

// A bug must not look like success, nor print a page of stack to a person.
function bug(error: unknown): never {
  const [diagnostic] = toFailure(error, false).diagnostics;
  const debug = process.argv.includes("--debug");
  leave(1, debug ? trace(error) : `error[internal]: ${diagnostic?.message ?? ""} (run again with --debug to see where)\n`);
}
process.on("uncaughtException", bug);
process.on("unhandledRejection", bug);

async function main(): Promise<void> {
  const interrupt = listenForInterrupt(() => leave(130, ""));
  const code = await run(process.argv.slice(2), io, interrupt.signal);
  // What is still written must arrive before the process ends; what else is open must not keep it.
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((done) => void stream.write("", () => done()))));
  process.exit(process.exitCode === undefined || code !== 0 ? code : Number(process.exitCode));
}

void main();
