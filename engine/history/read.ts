// What is remembered of runs: listed, shown, pruned.

import { inputError } from "../../compiler/index.ts";
import type { Run, RunComponent, RunFilter, RunPage, RunState } from "../store/index.ts";
import type { RecordedConfig } from "./config.ts";
import { findRun, type HistoryRequest, type HistoryWish, withStore } from "./open.ts";

const states: readonly RunState[] = ["queued", "running", "done", "failed", "interrupted", "cancelled"];

/** A run with all that is kept of it but its events and logs. */
export interface ShownRun {
  readonly run: Run;
  readonly components: readonly RunComponent[];
  /** Not there for runs that never came as far as a graph. */
  readonly config?: RecordedConfig;
}

/** Newest first. `wish` takes slugs. Throws UserError (2) `bad-run-state`, `bad-time`, `no-workspace`. */
export async function listRuns(
  request: HistoryRequest,
  wish: HistoryWish & {
    readonly states?: readonly string[];
    readonly since?: string;
    readonly limit?: number;
    readonly cursor?: string;
    readonly now: number;
  },
): Promise<RunPage> {
  const { stack, environment, since, limit, cursor, now } = wish;
  const filter: RunFilter = {
    ...(stack === undefined ? {} : { stack }),
    ...(environment === undefined ? {} : { env: environment }),
    ...(wish.states === undefined ? {} : { states: wish.states.map(stateOf) }),
    ...(since === undefined ? {} : { since: timeOf(since, now) }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return withStore(request, async (store) => (store === undefined ? { runs: [] } : store.runs.list(filter)));
}

/** `wanted` is an id, the beginning of one, or `latest`. Throws UserError (2) `unknown-run`, `ambiguous-run`. */
export async function showRun(request: HistoryRequest, wanted: string): Promise<ShownRun> {
  return withStore(request, async (store) => {
    const run = await findRun(store, wanted);
    const components = (await store?.components.list(run.id)) ?? [];
    const bytes = run.config === undefined ? undefined : await store?.blobs.get(run.config);
    const config = bytes === undefined ? {} : { config: JSON.parse(Buffer.from(bytes).toString("utf8")) as RecordedConfig };
    return { run, components, ...config };
  });
}

/** Deletes runs that are over: all but the newest `keep`, or those from before `olderThan` (`30d`, a date). Says how many. */
export async function pruneRuns(
  request: HistoryRequest,
  wish: HistoryWish & { readonly keep?: number; readonly olderThan?: string; readonly now: number },
): Promise<number> {
  const { stack, environment, keep, olderThan, now } = wish;
  const filter = {
    ...(stack === undefined ? {} : { stack }),
    ...(environment === undefined ? {} : { env: environment }),
    ...(keep === undefined ? {} : { keep }),
    ...(olderThan === undefined ? {} : { before: timeOf(olderThan, now) }),
  };
  return withStore(request, async (store) => (store === undefined ? 0 : store.runs.prune(filter)));
}

function stateOf(text: string): RunState {
  const state = states.find((one) => one === text);
  if (state !== undefined) return state;
  throw inputError({
    code: "bad-run-state",
    message: `There is no state ${JSON.stringify(text)} of runs`,
    at: [],
    hint: `States are ${states.join(", ")}`,
  });
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `30d`, `12h`: so long before `now`; else a date or time of ISO 8601. Milliseconds since 1970. */
export function timeOf(text: string, now: number): number {
  const [, count = "", unit = ""] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (count !== "") return now - Number(count) * (units[unit] ?? 0);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw inputError({
    code: "bad-time",
    message: `Cannot read the time ${JSON.stringify(text)}`,
    at: [],
    hint: "Write how long ago (90s, 45m, 12h, 30d, 8w), or a date such as 2026-11-21 or 2026-11-21T14:00:00Z",
  });
}
