// dagger daemon: starts, shows and ends watches in the background; and the process that is one.
import type { BackgroundStatus, ReadyStack } from "../../engine/index.ts";
import { type Context, surroundings, type WatchFlags } from "../context.ts";
import { toFailure } from "../failure.ts";
import type { Io, Out } from "../io.ts";
import { timeText } from "../output/history.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { placeOf, type StackFlags } from "../stack.ts";
import { readyToRun } from "./up.ts";
import { watchCommand } from "./watch.ts";

type Meant = { readonly dir: string; readonly stack?: ReadyStack["stack"] };

export async function startCommand(context: Context, dir: string | undefined, flags: WatchFlags): Promise<void> {
  const place = await readyToRun(context, dir, flags);
  const { loadBackground } = await import("../../engine/index.ts");
  const { startBackground } = await loadBackground();
  const { signal, argv = [] } = context;
  const [, script = ""] = process.argv;
  const command = [process.execPath, script, "watch"];
  const status = await startBackground({ ...about(context, place), command, args: argv.slice(2), signal });
  if (flags.output === "json") context.io.stdout.write(formatJson(status));
  else context.io.stdout.write(`Watching ${clean(status.of)} in the background (pid ${status.pid})\n`);
}

export async function statusCommand(
  context: Context,
  dir: string | undefined,
  flags: StackFlags & { readonly output: "text" | "json" },
): Promise<void> {
  const { loadBackground } = await import("../../engine/index.ts");
  const { backgroundStatus } = await loadBackground();
  const isOne = dir !== undefined || flags.stack !== undefined || flags.env !== undefined;
  const meant = isOne ? about(context, await placeOf(context, dir, flags)) : surroundings(context);
  const found = backgroundStatus(meant);
  const { stdout } = context.io;
  if (flags.output === "json") stdout.write(formatJson(found));
  else stdout.write(found.length === 0 ? "Nothing is watched in the background\n" : formatTable(found.map(row)));
}

function row(status: BackgroundStatus): string[] {
  const { of, state, pid, since, last, next, why } = status;
  const ended = state === "crashed" || state === "ended";
  return [
    clean(of),
    state,
    ended ? "" : `pid ${pid}`,
    `since ${timeText(since)}`,
    last === undefined ? "" : `run ${last.run} ${last.outcome}${last.message === undefined ? "" : `: ${clean(last.message)}`}`,
    ...(next === undefined || ended ? [] : [`next ${clean(next.path)} at ${timeText(next.time)}`]),
    ...(why === undefined ? [] : [clean(why)]),
  ];
}

export async function stopCommand(context: Context, dir: string | undefined, flags: StackFlags): Promise<void> {
  const place = await placeOf(context, dir, flags);
  const { loadBackground } = await import("../../engine/index.ts");
  const { stopBackground } = await loadBackground();
  const stopped = await stopBackground({ ...about(context, place), signal: context.signal });
  context.io.stdout.write(stopped === undefined ? "Nothing is watched in the background\n" : `${clean(stopped.of)} is no longer watched\n`);
}

/** Ends when the log does, with --follow when the signal aborts: that is how a person ends it, and no failure. */
export async function logsCommand(
  context: Context,
  dir: string | undefined,
  flags: StackFlags & { readonly follow: boolean },
): Promise<void> {
  const place = await placeOf(context, dir, flags);
  const { loadBackground } = await import("../../engine/index.ts");
  const { backgroundLog } = await loadBackground();
  const { signal, io } = context;
  for await (const data of backgroundLog({ ...about(context, place), signal, follow: flags.follow })) io.stdout.write(data);
}

/** The process that watches: all that it prints goes to its log. */
export async function runCommand(context: Context, dir: string | undefined, flags: WatchFlags, place: string): Promise<void> {
  const { loadBackground } = await import("../../engine/index.ts");
  const { BoundedLog, logOf, openStatus } = await loadBackground();
  const log = new BoundedLog(logOf(place));
  const out: Out = {
    isTTY: false,
    size: () => ({ columns: 100, rows: 24 }),
    write: (text) => log.write(text),
    onResize: () => () => undefined,
  };
  // What it starts is no part of it.
  const { DAGGER_WATCH_PLACE: _, ...env } = context.io.env;
  const io: Io = { ...context.io, env, stdout: out, stderr: out };
  const status = openStatus(place);
  try {
    await watchCommand({ ...context, io }, dir, { ...flags, output: "text", progress: flags.progress ?? "plain" }, (event) =>
      status.note(event, io.now()),
    );
  } catch (error) {
    const { exit, diagnostics } = toFailure(error, context.signal.aborted);
    status.ended(exit === 130 ? undefined : diagnostics[0]?.message);
    throw error;
  }
}

function about(context: Context, { dir, stack }: Meant) {
  return { ...surroundings(context), dir, ...(stack === undefined ? {} : { stack }) };
}
