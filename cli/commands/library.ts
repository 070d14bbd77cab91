// dagger stage up, down, plan, status, mark and import.
import type { RunStagesRequest, StageState, StagesResult } from "../../engine/index.ts";
import type { Context, OutputFormat, ReadingFlags, RunFlags } from "../context.ts";
import { readingOf, surroundings } from "../context.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { placeOf } from "../stack.ts";
import { requestOf, withProgress } from "./up.ts";

export interface LibraryFlags extends ReadingFlags {
  readonly library?: string;
  readonly output: OutputFormat;
}

export type MarkFlags = LibraryFlags;

export interface RunLibraryFlags extends RunFlags {
  readonly library?: string;
  readonly only?: boolean;
  readonly skipFailures?: boolean;
  readonly output: OutputFormat;
}

/** What became of each stage on stdout, also when some failed: then the failures are thrown after it. */
export async function runLibrary(
  context: Context,
  command: RunStagesRequest["command"],
  dir: string,
  stages: readonly string[],
  flags: RunLibraryFlags,
): Promise<void> {
  const { loadStages } = await import("../../engine/index.ts");
  const { runStages } = await loadStages();
  const place = await placeOf(context, dir, flags);
  const { library, only, skipFailures } = flags;
  let ran: StagesResult | undefined;
  await withProgress(context, flags, async (progress) => {
    ran = await runStages({
      ...requestOf(context, flags),
      ...place,
      command,
      stages,
      ...(library === undefined ? {} : { library }),
      ...(only === undefined ? {} : { only }),
      ...(skipFailures === undefined ? {} : { skipFailures }),
      onEvent: (event) => progress.event(event),
    });
    if (ran.failure !== undefined && flags.output === "text") showOutcomes(context, ran);
    if (ran.failure !== undefined) throw ran.failure;
    return ran.result;
  });
  if (ran === undefined) return;
  if (flags.output === "text") showOutcomes(context, ran);
  else context.io.stdout.write(formatJson({ stages: ran.stages }));
}

function showOutcomes({ io }: Context, { stages }: StagesResult): void {
  io.stdout.write(formatTable([["stage", "state", "why"], ...stages.map(({ stage, state, why }) => [stage, state, clean(why)])]));
}

export async function showStages(context: Context, dir: string, stages: readonly string[], flags: LibraryFlags): Promise<void> {
  const { stageStates } = await (await import("../../engine/index.ts")).loadStages();
  showStates(context, flags, await stageStates(await lookAt(context, dir, stages, flags)));
}

export async function markLibrary(
  context: Context,
  state: string,
  dir: string,
  stages: readonly string[],
  flags: LibraryFlags,
): Promise<void> {
  const { markStages } = await (await import("../../engine/index.ts")).loadStages();
  showStates(context, flags, await markStages(await lookAt(context, dir, stages, flags), state === "up" ? "up" : "down"));
}

export async function importLibrary(context: Context, library: string, { into = "." }: { readonly into?: string }): Promise<void> {
  const { importStages } = await (await import("../../engine/index.ts")).loadStages();
  context.io.stdout.write(await importStages({ ...surroundings(context), library, caller: into }));
}

async function lookAt(context: Context, dir: string, stages: readonly string[], flags: LibraryFlags) {
  const { library } = flags;
  return {
    ...surroundings(context),
    ...(await placeOf(context, dir, flags)),
    ...readingOf(flags),
    ...(library === undefined ? {} : { library }),
    stages,
    signal: context.signal,
  };
}

function showStates({ io }: Context, { output }: LibraryFlags, states: readonly StageState[]): void {
  if (output === "json") {
    io.stdout.write(formatJson({ stages: states }));
    return;
  }
  const rows = states.map(({ stage, state, stamped, after }) => [stage, state, stamped ? "stamped" : "", after.join(" ")]);
  io.stdout.write(formatTable([["stage", "state", "files", "after"], ...rows]));
}
