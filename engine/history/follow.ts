// Events and logs of a run, read on from a cursor that stays good: also by another process, after a crash, and while the run goes on.
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../compiler/index.ts";
import type { Cut, Journal, NewEvent, NewLog, Numbered, Run, Store } from "../store/index.ts";
import { findRun, type HistoryRequest, openHistory } from "./open.ts";

export interface FollowRequest extends HistoryRequest {
  /** `cursor` of the last entry that is known; 0, or nothing, for all. */
  readonly after?: number;
  /** Goes on until the run is over. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** Entries that are gone, because the run told more than is kept. */
export interface RecordedCut extends Cut {
  readonly type: "cut";
  readonly cursor: number;
}

/** What a run told, as the history keeps it: steps are named by their digests. */
export interface RecordedEvent {
  readonly cursor: number;
  readonly type: string;
  readonly time: number;
  readonly data: NewEvent["data"];
}

export interface RecordedLog extends NewLog {
  readonly type: "log";
  readonly cursor: number;
}

const openStates = ["queued", "running"];
/** Milliseconds between looks. */
const pause = 200;

/** Without gaps: what is missing is told as `cut`. Throws UserError (2) `unknown-run`, `ambiguous-run`, (130) when the signal is aborted. */
export function readEvents(request: FollowRequest, wanted: string): AsyncGenerator<RecordedEvent | RecordedCut, undefined> {
  const entryOf = ({ seq, type, time, data }: Numbered<NewEvent>): RecordedEvent => ({ cursor: seq, type, time, data });
  return follow(request, wanted, (store) => store.events, entryOf);
}

/** Likewise what its steps wrote. */
export function readLogEntries(request: FollowRequest, wanted: string): AsyncGenerator<RecordedLog | RecordedCut, undefined> {
  const entryOf = ({ seq, ...log }: Numbered<NewLog>): RecordedLog => ({ type: "log", cursor: seq, ...log });
  return follow(request, wanted, (store) => store.logs, entryOf);
}

async function* follow<Entry, Told>(
  request: FollowRequest,
  wanted: string,
  journalOf: (store: Store) => Journal<Entry>,
  entryOf: (entry: Numbered<Entry>) => Told,
): AsyncGenerator<Told | RecordedCut, undefined> {
  const { store } = await openHistory(request);
  try {
    let run = await findRun(store, wanted);
    if (store === undefined) return undefined;
    let cursor = request.after ?? 0;
    for (;;) {
      const page = await journalOf(store).read(run.id, { after: cursor });
      for (const entry of placed(page.entries, page.cut)) {
        checkSignal(request);
        yield "from" in entry ? { type: "cut", cursor: entry.to, ...entry } : entryOf(entry);
      }
      cursor = page.cursor;
      if (page.more) continue;
      if (request.follow !== true || !openStates.includes(run.state)) return undefined;
      await sleep(pause, undefined, { signal: request.signal }).catch(() => undefined);
      checkSignal(request);
      // Asked before the journal is read again: what an ended run told is all there then.
      run = (await store.runs.get(run.id)) ?? run;
    }
  } finally {
    await store?.close();
  }
}

/** Entries of a page, with what is cut out between them. */
function* placed<Entry>(entries: readonly Numbered<Entry>[], cut: Cut | undefined): Generator<Numbered<Entry> | Cut> {
  let missing = cut;
  for (const entry of entries) {
    if (missing !== undefined && entry.seq > missing.to) {
      yield missing;
      missing = undefined;
    }
    yield entry;
  }
  if (missing !== undefined) yield missing;
}

/** Resolves with the run when it is over. Throws as `readEvents`. */
export async function waitForRun(request: Pick<FollowRequest, "signal"> & HistoryRequest, wanted: string): Promise<Run> {
  const { store } = await openHistory(request);
  try {
    let run = await findRun(store, wanted);
    while (openStates.includes(run.state)) {
      await sleep(pause, undefined, { signal: request.signal }).catch(() => undefined);
      checkSignal(request);
      run = (await store?.runs.get(run.id)) ?? run;
    }
    return run;
  } finally {
    await store?.close();
  }
}

/** Asks the process that has the run to end it, wherever that is. Gives the run; false when it was over. Throws as `readEvents`. */
export async function cancelRun(
  request: HistoryRequest,
  wanted: string,
  reason: string,
): Promise<{ readonly run: string; readonly asked: boolean }> {
  const { store } = await openHistory(request);
  try {
    const { id } = await findRun(store, wanted);
    return { run: id, asked: (await store?.runs.cancel(id, reason)) ?? false };
  } finally {
    await store?.close();
  }
}

function checkSignal({ signal }: Pick<FollowRequest, "signal">): void {
  if (signal?.aborted === true) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
}
