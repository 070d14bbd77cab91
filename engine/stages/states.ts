// The states that stages are in, as files in OUTPUT_DIR keep them: read, and set by hand. packages/stage/runner.cue writes them.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../config/config.ts";
import type { ReadRequest } from "../request.ts";
import { findLibrary, type Library, selectStages } from "./library.ts";

export interface StagesRequest extends ReadRequest {
  /** CUE path of the library, where the config has several. */
  readonly library?: string;
  /** Names; all when it is empty. */
  readonly stages: readonly string[];
  readonly signal: AbortSignal;
}

export interface StageState {
  readonly stage: string;
  readonly state: "up" | "down" | "unknown";
  readonly after: readonly string[];
  /** Its stamped files are on this machine. */
  readonly stamped: boolean;
}

/** In an order in which they can be brought up. Throws UserError (2) for anything wrong in the config. */
export async function stageStates(request: StagesRequest): Promise<readonly StageState[]> {
  const library = await readLibrary(request);
  const chosen = new Set(selectStages(library, request.stages, undefined) ?? library.stages.keys());
  return Promise.all([...library.stages].filter(([stage]) => chosen.has(stage)).map(([stage, after]) => stateOf(library, stage, after)));
}

/** Says of stages that they are up, whatever they were last run with, or down. Nothing is run. */
export async function markStages(request: StagesRequest, state: "up" | "down"): Promise<readonly StageState[]> {
  const library = await readLibrary(request);
  const stages = selectStages(library, request.stages, undefined) ?? [];
  for (const stage of stages) {
    const record = recordOf(library, stage);
    await mkdir(record, { recursive: true });
    await writeFile(join(record, "status"), `${state}\n`);
    // The next run takes what there is then as what the stage is up with.
    await rm(join(record, "inputs"), { force: true });
  }
  return Promise.all(stages.map((stage) => stateOf(library, stage, library.stages.get(stage) ?? [])));
}

async function readLibrary(request: StagesRequest): Promise<Library> {
  const config = await loadConfig(request);
  try {
    return findLibrary(config, request.library);
  } finally {
    config.close();
  }
}

async function stateOf(library: Library, stage: string, after: readonly string[]): Promise<StageState> {
  const text = (await readFile(join(recordOf(library, stage), "status"), "utf8").catch(() => "")).trim();
  const state = text === "up" || text === "down" ? text : "unknown";
  return { stage, state, after, stamped: existsSync(join(library.genfiles, stage)) };
}

function recordOf({ output }: Library, stage: string): string {
  return join(output, ".stages", stage);
}
