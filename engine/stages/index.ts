// Door of stages: libraries of them are run, looked at and imported. Loaded when a command is about stages.
export { type ImportRequest, importStages } from "./import.ts";
export { type RunStagesRequest, runStages, type StageOutcome, type StagesResult } from "./run.ts";
export { markStages, type StageState, type StagesRequest, stageStates } from "./states.ts";
