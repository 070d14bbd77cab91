// What is remembered of runs, for embedding programs: listed, read with a cursor, waited for, cancelled; and what environments gave last.

import type { UpResult } from "../events.ts";
import type { RecordedCut, RecordedEvent, RecordedLog, RestoredHistory, RunDiff, ShownRun } from "../history/index.ts";
import type { Admission, Surroundings } from "../request.ts";
import type { Json, Output, Run, RunPage, RunState } from "../store/index.ts";
import type { Access, Calls } from "./calls.ts";
import { type AgainOptions, type CallOptions, type DaemonOptions, secretsOf } from "./requests.ts";

export interface RunQuery extends CallOptions {
  /** Slugs. Runs of configs outside of stacks have the stack "", and their directory as environment: `./ci`. */
  readonly stack?: string;
  readonly environment?: string;
  readonly states?: readonly RunState[];
  /** `30d`, `12h` ago, or a date. */
  readonly since?: string;
  /** 1 to 1000, 50 without. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface ReadOptions extends CallOptions {
  /** `cursor` of the last entry that is known; all without it. It stays good after a crash of the reader, and in another process. */
  readonly after?: number;
  /** Goes on until the run is over. Default false. */
  readonly follow?: boolean;
}

/** `run` is an id, the beginning of one, or `latest`. All reject with UserError (2) `unknown-run` or `ambiguous-run` for others. */
export interface Runs {
  /** Newest first. */
  list(query?: RunQuery): Promise<RunPage>;
  /** With its components, and the exact config. */
  show(run: string, options?: CallOptions): Promise<ShownRun>;
  /** What it told, in order and without gaps; what was too much to keep is told as `cut`. */
  events(run: string, options?: ReadOptions): AsyncGenerator<RecordedEvent | RecordedCut, undefined>;
  /** What its steps wrote, secrets hidden. */
  logs(run: string, options?: ReadOptions): AsyncGenerator<RecordedLog | RecordedCut, undefined>;
  diff(before: string, after: string, options?: CallOptions): Promise<RunDiff>;
  /** Resolves when it is over, whoever runs it. */
  wait(run: string, options?: CallOptions): Promise<Run>;
  /** Asks whoever runs it to end it, which happens soon; `wait` tells. False: it was over. */
  cancel(run: string, options?: CallOptions & { readonly reason?: string }): Promise<boolean>;
  /** Runs once more what a run was made from: its files, inputs, images and commits. What cannot be the same is told as a warning. */
  rerun(run: string, options?: AgainOptions): Promise<UpResult>;
  /** Goes on with a run that failed, was cancelled or interrupted: what it finished is not done again. */
  resume(run: string, options?: AgainOptions): Promise<UpResult>;
  /** Forgets runs that are over: all but the newest `keep`, or those from before `olderThan`. Says how many. */
  prune(
    options: CallOptions & { readonly stack?: string; readonly environment?: string; readonly keep?: number; readonly olderThan?: string },
  ): Promise<number>;
  /** Puts the newest backup of a SQLite store that is damaged in its place. */
  restore(options?: CallOptions): Promise<RestoredHistory>;
}

/** Whose outputs are meant: without a stack those of the config in `dir`, or in the engine's directory. */
export interface OutputOptions extends CallOptions {
  readonly dir?: string;
  readonly stack?: string;
  readonly environment?: string;
}

export interface Outputs {
  /** Of each component's last success. */
  list(options?: OutputOptions): Promise<readonly Output[]>;
  get(component: string, options?: OutputOptions): Promise<Output>;
  /** The value at a CUE path of the config's last success; all of it for "". */
  query(path: string, options?: OutputOptions): Promise<Json>;
}

type History = typeof import("../history/index.ts");

const load = (): Promise<History> => import("../history/index.ts");

export function runsOf(surroundings: Surroundings, calls: Calls, daemon: DaemonOptions & { readonly admission: Admission }): Runs {
  const of = (run: string): Access => ({ action: "read", resource: `run/${run}` });
  const call = <T>(access: Access, options: CallOptions | undefined, work: (of: History, signal: AbortSignal) => Promise<T>): Promise<T> =>
    calls.run(access, options, async (signal) => work(await load(), signal));
  const read = ({ after, follow }: ReadOptions, signal: AbortSignal) => ({
    ...surroundings,
    ...(after === undefined ? {} : { after }),
    ...(follow === undefined ? {} : { follow }),
    signal,
  });
  const again = (run: string, options: AgainOptions = {}, how: (of: History) => History["rerun"]): Promise<UpResult> =>
    call({ action: "run", resource: `run/${run}` }, options, (history, signal) => {
      const { onEvent = () => undefined, secrets, ssh, ...rest } = options;
      const { actor: _actor, offline: _offline, ...flags } = rest;
      const sockets = ssh === undefined ? {} : { ssh };
      return how(history)({ ...surroundings, ...daemon, ...flags, ...secretsOf(secrets), ...sockets, onEvent, signal }, run);
    });
  return {
    rerun: (run, options) => again(run, options, (history) => history.rerun),
    resume: (run, options) => again(run, options, (history) => history.resume),
    list: (query = {}) => {
      const { signal: _signal, actor: _actor, offline: _offline, ...wish } = query;
      return call(environmentOf("read", query), query, (history) => history.listRuns(surroundings, { ...wish, now: Date.now() }));
    },
    show: (run, options) => call(of(run), options, (history) => history.showRun(surroundings, run)),
    events: (run, options = {}) => calls.iterate(of(run), options, async (signal) => (await load()).readEvents(read(options, signal), run)),
    logs: (run, options = {}) =>
      calls.iterate(of(run), options, async (signal) => (await load()).readLogEntries(read(options, signal), run)),
    diff: (before, after, options) => call(of(before), options, (history) => history.diffRuns(surroundings, before, after)),
    wait: (run, options) => call(of(run), options, (history, signal) => history.waitForRun({ ...surroundings, signal }, run)),
    cancel: (run, options) =>
      call({ action: "cancel", resource: `run/${run}` }, options, async (history) => {
        const { asked } = await history.cancelRun(surroundings, run, options?.reason ?? "cancelled");
        return asked;
      }),
    restore: (options) => call({ action: "write", resource: "workspace" }, options, (history) => history.restoreHistory(surroundings)),
    prune: (options) => {
      const { signal: _signal, actor: _actor, offline: _offline, ...wish } = options;
      return call(environmentOf("write", options), options, (history) => history.pruneRuns(surroundings, { ...wish, now: Date.now() }));
    },
  };
}

export function outputsOf(surroundings: Surroundings, calls: Calls): Outputs {
  const call = <T>(options: OutputOptions | undefined, work: (of: History, wish: OutputOptions) => Promise<T>): Promise<T> => {
    const { dir, stack, environment } = options ?? {};
    const wish = {
      ...(dir === undefined ? {} : { dir }),
      ...(stack === undefined ? {} : { stack }),
      ...(environment === undefined ? {} : { environment }),
    };
    return calls.run(environmentOf("read", wish), options, async () => work(await load(), wish));
  };
  return {
    list: (options) => call(options, (history, wish) => history.listOutputs(surroundings, wish)),
    get: (component, options) => call(options, (history, wish) => history.getOutput(surroundings, wish, component)),
    query: (path, options) => call(options, (history, wish) => history.query(surroundings, wish, path)),
  };
}

function environmentOf(action: Access["action"], { dir, stack, environment }: OutputOptions): Access {
  const resource = stack === undefined ? (dir ?? "workspace") : environment === undefined ? stack : `${stack}/${environment}`;
  return { action, resource };
}
