// The door of the history: what is remembered of runs, read and pruned. Recording has a door of its own, recording.ts.

export { getOutput, listOutputs, query } from "../state/read.ts";
export { type AgainRequest, rerun, resume } from "./again.ts";
export { diffRuns, type RunDiff } from "./diff.ts";
export {
  cancelRun,
  type FollowRequest,
  type RecordedCut,
  type RecordedEvent,
  type RecordedLog,
  readEvents,
  readLogEntries,
  waitForRun,
} from "./follow.ts";
export { type LogLine, readLogs } from "./logs.ts";
export type { HistoryRequest, HistoryWish } from "./open.ts";
export { listRuns, pruneRuns, type ShownRun, showRun } from "./read.ts";
export { type RestoredHistory, restoreHistory } from "./restore.ts";
