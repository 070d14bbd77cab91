// dagger history, output and query.
import type { HistoryRequest } from "../../engine/index.ts";
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { count } from "../count.ts";
import { UsageError } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { cutText, formatDiff, formatRun, formatRuns, placeText, timeText } from "../output/history.ts";
import { clean } from "../output/lines.ts";
import { LogWriter } from "../output/recorded-logs.ts";
import { createStyle, type Style } from "../output/style.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { plural } from "../output/units.ts";
import { formatValues } from "../output/values.ts";
import { type StackFlags, wishOf } from "../stack.ts";

export interface HistoryFlags extends StackFlags {
  readonly state?: readonly string[];
  readonly since?: string;
  readonly limit?: string;
  readonly target?: string;
  readonly follow?: boolean;
  readonly keep?: string;
  readonly olderThan?: string;
  readonly output: OutputFormat;
}

export interface OutputFlags extends StackFlags {
  readonly output: OutputFormat;
}

export interface QueryFlags extends StackFlags {
  readonly output: "json" | "yaml" | "text" | "cue";
}

const engine = async () => (await import("../../engine/index.ts")).loadHistory();

export async function listRunsCommand(context: Context, flags: HistoryFlags): Promise<void> {
  const { listRuns } = await engine();
  const { io } = context;
  const { state, since, limit } = flags;
  const page = await listRuns(requestOf(context), {
    ...wishOf(flags),
    ...(state === undefined ? {} : { states: state }),
    ...(since === undefined ? {} : { since }),
    ...(limit === undefined ? {} : { limit: count("--limit", limit) }),
    now: io.now(),
  });
  io.stdout.write(flags.output === "json" ? formatJson(page.runs) : formatRuns(page.runs, styleOf(context)));
}

export async function showRunCommand(context: Context, wanted: string, flags: HistoryFlags): Promise<void> {
  const { showRun } = await engine();
  const shown = await showRun(requestOf(context), wanted);
  context.io.stdout.write(flags.output === "json" ? formatJson(shown) : formatRun(shown, styleOf(context)));
}

/** As text, a line of a step behind its component; as json, one object a line. */
export async function logsCommand(context: Context, wanted: string, flags: HistoryFlags): Promise<void> {
  const { readLogs } = await engine();
  const { io, signal } = context;
  const writer = new LogWriter((text) => io.stdout.write(text), styleOf(context), flags.output === "json");
  const component = flags.target === undefined ? {} : { component: flags.target };
  await readLogs(
    {
      ...requestOf(context),
      ...component,
      follow: flags.follow === true,
      signal,
      onLog: (line) => (line.kind === "cut" ? writer.note(cutText(line), line) : writer.log(line)),
    },
    wanted,
  );
  writer.end();
}

export async function diffCommand(context: Context, [first, second]: readonly [string, string], flags: HistoryFlags): Promise<void> {
  const { diffRuns } = await engine();
  const diff = await diffRuns(requestOf(context), first, second);
  context.io.stdout.write(flags.output === "json" ? formatJson(diff) : formatDiff(diff, styleOf(context)));
}

export async function pruneCommand(context: Context, flags: HistoryFlags): Promise<void> {
  const { keep, olderThan } = flags;
  if (keep === undefined && olderThan === undefined) {
    throw new UsageError({
      code: "missing-flag-value",
      message: "Nothing says which runs are to be forgotten",
      at: [],
      hint: "Give --keep 100 or --older-than 30d",
    });
  }
  const { pruneRuns } = await engine();
  const { io } = context;
  const runs = await pruneRuns(requestOf(context), {
    ...wishOf(flags),
    ...(keep === undefined ? {} : { keep: count("--keep", keep) }),
    ...(olderThan === undefined ? {} : { olderThan }),
    now: io.now(),
  });
  io.stdout.write(flags.output === "json" ? formatJson({ runs }) : `Forgot ${plural(runs, "run")}\n`);
}

export async function restoreCommand(context: Context, flags: HistoryFlags): Promise<void> {
  const { restoreHistory } = await engine();
  const restored = await restoreHistory(requestOf(context));
  const { file, made, aside } = restored;
  const kept = aside === undefined ? "" : `\nThe damaged file is ${aside}`;
  context.io.stdout.write(flags.output === "json" ? formatJson(restored) : `Restored ${file} as of ${timeText(made)}${kept}\n`);
}

export async function listOutputsCommand(context: Context, flags: OutputFlags): Promise<void> {
  const { listOutputs } = await engine();
  const all = await listOutputs(requestOf(context), wishOf(flags));
  const { io } = context;
  if (flags.output === "json") return io.stdout.write(formatJson(all));
  const rows = all.map(({ component, value, run, time }) => [clean(component), shortOf(value), timeText(time), run]);
  io.stdout.write(formatTable(rows));
}

export async function getOutputCommand(context: Context, name: string, flags: OutputFlags): Promise<void> {
  const { getOutput } = await engine();
  const found = await getOutput(requestOf(context), wishOf(flags), name);
  const { io } = context;
  if (flags.output === "json") io.stdout.write(formatJson({ ...found, environment: placeText(found) }));
  else io.stdout.write(textOf(found.value, styleOf(context)));
}

export async function queryCommand(context: Context, path: string, flags: QueryFlags): Promise<void> {
  const { query } = await engine();
  const value = await query(requestOf(context), wishOf(flags), path);
  const { io } = context;
  if (flags.output === "json") io.stdout.write(formatJson(value));
  else if (flags.output === "yaml") io.stdout.write((await import("yaml")).stringify(value, { lineWidth: 0 }));
  else if (flags.output === "text") io.stdout.write(textOf(value, styleOf(context)));
  else io.stdout.write(await asCue(value));
}

function requestOf(context: Context): HistoryRequest {
  return { ...surroundings(context), onNotice: (text) => context.io.stderr.write(`${text}\n`) };
}

/** Text as it is, for scripts; everything else as `up` shows values. */
function textOf(value: unknown, style: Style): string {
  return typeof value === "string" ? value.replace(/\n?$/, "\n") : formatValues(value, style);
}

function shortOf(value: unknown): string {
  const text = clean(JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

async function asCue(value: unknown): Promise<string> {
  const { cueText } = await import("../output/cue-text.ts");
  return cueText(value);
}

function styleOf({ io }: Context): Style {
  return createStyle(wantsColour(io.stdout, io.env));
}
