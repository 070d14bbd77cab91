// The states of runs, in their two kinds.
import type { FinalState, RunState } from "../records.ts";

export const openStates: RunState[] = ["queued", "running"];
export const finalStates: FinalState[] = ["done", "failed", "interrupted", "cancelled"];
