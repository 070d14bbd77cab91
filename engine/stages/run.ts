// Brings stages up or down, or tells what that would do: a run of the config in which their library is told so.
import type { UserError } from "../../compiler/index.ts";
import { loadConfig } from "../config/config.ts";
import type { UpResult } from "../events.ts";
import { KeptError } from "../passes/keep-going.ts";
import type { UpRequest } from "../request.ts";
import { up } from "../up.ts";
import { findLibrary, type Library, selectStages } from "./library.ts";

export interface RunStagesRequest extends Omit<UpRequest, "targets"> {
  readonly command: "up" | "down" | "plan";
  /** CUE path of the library, where the config has several. */
  readonly library?: string;
  /** Names; all when it is empty. */
  readonly stages: readonly string[];
  /** Only those named, and not what they need (`up`, `plan`) or what needs them (`down`). */
  readonly only?: boolean;
  /** Takes a stage down also when one that comes after it could not be. */
  readonly skipFailures?: boolean;
}

/** What became of one stage. */
export interface StageOutcome {
  readonly stage: string;
  /** `due`: of a plan. `current`: nothing had to be done. */
  readonly state: "done" | "current" | "failed" | "skipped" | "due";
  readonly why: string;
}

export interface StagesResult {
  readonly stages: readonly StageOutcome[];
  readonly result: UpResult;
  /** What failed, after everything that the stages gave was saved. */
  readonly failure?: UserError;
}

/** Throws UserError as `up`; stages that fail are no exception but part of the result. */
export async function runStages(request: RunStagesRequest): Promise<StagesResult> {
  const { command, skipFailures = false } = request;
  const library = await libraryOf(request);
  const along = command === "down" ? "after" : "before";
  const select = selectStages(library, request.stages, request.only === true ? undefined : along);
  const below = library.path === "" ? "" : `${library.path}.`;
  const inputs = [
    ...request.inputs,
    `${below}command=${command}`,
    ...(select === undefined ? [] : [`${below}select=${JSON.stringify(select)}`]),
    ...(skipFailures ? [`${below}skipFailures=true`] : []),
  ];
  const targets = library.path === "" ? [] : [library.path, `${below}results`];
  const outcomes = (result: UpResult): StageOutcome[] => outcomesOf(result, library, `${below}results`, command === "down");
  try {
    const result = await up({ ...request, inputs, targets });
    return { stages: outcomes(result), result };
  } catch (error) {
    if (!(error instanceof KeptError)) throw error;
    return { stages: outcomes(error.result), result: error.result, failure: error };
  }
}

async function libraryOf(request: RunStagesRequest): Promise<Library> {
  const config = await loadConfig(request);
  try {
    return findLibrary(config, request.library);
  } finally {
    config.close();
  }
}

function outcomesOf({ computed }: UpResult, { stages }: Library, results: string, reverse: boolean): StageOutcome[] {
  const names = [...stages.keys()];
  return (reverse ? names.reverse() : names).flatMap((stage) => {
    const outcome = computed[`${results}.${stage}`] ?? computed[`${results}.${JSON.stringify(stage)}`];
    return outcome === undefined ? [] : [{ stage, ...(outcome as Omit<StageOutcome, "stage">) }];
  });
}
