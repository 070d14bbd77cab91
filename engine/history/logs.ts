// The logs of a run, as its steps wrote them; of one that goes on, also what is still to come.
import { setTimeout as sleep } from "node:timers/promises";
import { inputError, isWithin, nearest } from "../../compiler/index.ts";
import type { Cut, JournalPage, NewLog, Run, Store } from "../store/index.ts";
import { findRun, type HistoryRequest, withStore } from "./open.ts";

/** Bytes of one step, or what is missing between them. */
export type LogLine =
  | {
      readonly kind: "log";
      readonly component: string;
      readonly step: string;
      readonly stream: 1 | 2;
      readonly time: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: "cut"; readonly lines: number; readonly bytes: number };

export interface LogsRequest extends HistoryRequest {
  /** CUE path: only its steps, and those of what lies below it. */
  readonly component?: string;
  /** Waits for what a run that goes on still writes. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly onLog: (line: LogLine) => void;
}

const openStates = ["queued", "running"];

/** Gives the run as it was in the end. Throws UserError (2) `unknown-run`, `ambiguous-run`, `unknown-component`. */
export async function readLogs(request: LogsRequest, wanted: string): Promise<Run> {
  return withStore(request, async (store) => {
    let run = await findRun(store, wanted);
    if (store === undefined) return run;
    let cursor = 0;
    for (;;) {
      cursor = await readOn(request, store, run, cursor);
      if (!request.follow || !openStates.includes(run.state)) break;
      await sleep(200, undefined, { signal: request.signal }).catch(() => request.signal.throwIfAborted());
      // Asked before the logs are read again: what an ended run wrote is all there then.
      run = (await store.runs.get(run.id)) ?? run;
    }
    if (request.component !== undefined && !openStates.includes(run.state)) await checkComponent(store, run, request.component);
    return run;
  });
}

async function readOn(request: LogsRequest, store: Store, run: Run, after: number): Promise<number> {
  let page: JournalPage<NewLog>;
  let cursor = after;
  do {
    request.signal.throwIfAborted();
    page = await store.logs.read(run.id, { after: cursor });
    let cut: Cut | undefined = page.cut;
    for (const entry of page.entries) {
      if (cut !== undefined && entry.seq > cut.to) {
        request.onLog({ kind: "cut", lines: cut.lines, bytes: cut.bytes });
        cut = undefined;
      }
      if (isOf(entry.component, request.component)) request.onLog({ kind: "log", ...entry });
    }
    if (cut !== undefined) request.onLog({ kind: "cut", lines: cut.lines, bytes: cut.bytes });
    cursor = page.cursor;
  } while (page.more);
  return cursor;
}

function isOf(component: string, wanted: string | undefined): boolean {
  return wanted === undefined || isWithin(component, wanted);
}

async function checkComponent(store: Store, run: Run, wanted: string): Promise<void> {
  const paths = (await store.components.list(run.id)).map(({ path }) => path);
  if (paths.some((path) => isOf(path, wanted))) return;
  const [near] = nearest(wanted, paths);
  throw inputError({
    code: "unknown-component",
    message: `The run ${run.id} had no component ${JSON.stringify(wanted)}`,
    at: [],
    hint: near === undefined ? `See which it had: dagger history show ${run.id}` : `Did you mean ${near}?`,
  });
}
