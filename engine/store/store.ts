// The port of everything that is remembered between runs. Drivers: SQLite (a file of the workspace) and PostgreSQL (shared by many machines).
import type {
  Datum,
  DatumEdge,
  DatumKey,
  FinalJobState,
  FinalState,
  Job,
  JobFilter,
  JobKey,
  JournalPage,
  LeaseEntry,
  Lineage,
  NewDatum,
  NewEvent,
  NewJob,
  NewLog,
  NewOutput,
  NewRun,
  Output,
  Run,
  RunChange,
  RunComponent,
  RunEnd,
  RunFilter,
  RunKey,
  RunPage,
} from "./records.ts";

/**
 * Rows of one tenant. What a call resolved for is written: it survives the end of this process at any moment. Calls wait for a busy database,
 * and for one that is gone for a moment; they reject with a `UserError`: `store-unreachable`, `store-busy`, `store-full`, `store-read-only`,
 * `store-corrupt`, `store-newer`, and for writes of a run that is not this process's any more, `run-taken-over`.
 */
export interface Store {
  readonly tenant: string;
  /** Version of the schema, from 1. */
  readonly format: number;
  /** The same store for another tenant; it is closed with this one. */
  forTenant(tenant: string): Store;
  readonly runs: Runs;
  readonly components: Components;
  /** At most `limits.events` bytes of JSON a run. */
  readonly events: Journal<NewEvent>;
  /** At most `limits.logs` bytes a run. */
  readonly logs: Journal<NewLog>;
  readonly blobs: Blobs;
  readonly outputs: Outputs;
  readonly leases: Leases;
  readonly jobs: Jobs;
  readonly lineages: Lineages;
  /** Writes of a run that are there all or not at all. `work` may run several times: what it gives counts for the last time only. */
  together<T>(work: (writes: RunWrites) => Promise<T>): Promise<T>;
  /** Ends what this process still holds: its leases go to the next in the queue; its open runs become `interrupted`. */
  close(): Promise<void>;
}

export interface RunWrites {
  readonly runs: Pick<Runs, "update">;
  readonly components: Pick<Components, "put">;
  readonly events: Pick<Journal<NewEvent>, "append">;
  readonly logs: Pick<Journal<NewLog>, "append">;
  readonly blobs: Pick<Blobs, "put">;
  readonly outputs: Pick<Outputs, "put">;
}

export interface Runs {
  /**
   * A durable row, `queued` unless it starts at once, before anything runs. It belongs to this process until it is finished or the process is gone.
   * Not `created`: a run with that `idempotencyKey` is there already, and belongs to whoever created it.
   */
  create(run: NewRun): Promise<{ readonly run: Run; readonly created: boolean }>;
  /** `running` from now on; with a lease, under its token, which `key` of later writes must show: take them from the Run that comes back. */
  start(key: RunKey, lease?: Pick<Lease, "token">): Promise<Run>;
  update(key: RunKey, change: RunChange): Promise<void>;
  /** Final and durable. Finishing again with the same state does nothing. */
  finish(key: RunKey, end: RunEnd): Promise<Run>;
  get(id: string): Promise<Run | undefined>;
  list(filter?: RunFilter): Promise<RunPage>;
  /** Asks the process that has the run to end it, wherever it is. False: there is no such run, or it is over. */
  cancel(id: string, reason: string): Promise<boolean>;
  /** Of a run that this process created: aborts when somebody asks for its end, with the reason, or when the run was taken from this process. */
  signal(id: string): AbortSignal;
  /** Deletes final runs with all that belongs to them, and blobs that nothing refers to any more. Says how many runs. */
  prune(what: PruneFilter): Promise<number>;
}

export interface PruneFilter {
  readonly stack?: string;
  readonly env?: string;
  readonly states?: readonly FinalState[];
  /** Only runs created before this time. */
  readonly before?: number;
  /** The newest so many of what matches stay. */
  readonly keep?: number;
}

export interface Components {
  /** Adds, or replaces those of the same path. */
  put(key: RunKey, components: readonly RunComponent[]): Promise<void>;
  /** By path. */
  list(run: string): Promise<readonly RunComponent[]>;
}

export interface Journal<Entry> {
  /**
   * Adds entries behind number `after` (0 for the first) and gives the number of the last. Only the run's own writer appends, so it knows the
   * number; a batch that is there already is not written twice. A batch may have any size; a few hundred entries at a time are best.
   */
  append(key: RunKey, after: number, entries: readonly Entry[]): Promise<number>;
  /** What follows entry `after` (0: from the beginning). The number is a durable cursor: reading on after any pause misses nothing. */
  read(run: string, options?: JournalOptions): Promise<JournalPage<Entry>>;
}

export interface JournalOptions {
  readonly after?: number;
  /** Entries a page, 1000 without. */
  readonly limit?: number;
}

export interface Blobs {
  /** Keeps bytes under their digest, `sha256:…`, as long as a run that named it is there. The same bytes are kept once for a tenant. */
  put(key: RunKey, bytes: Uint8Array): Promise<string>;
  get(digest: string): Promise<Uint8Array | undefined>;
}

export interface Outputs {
  /** Of components that succeeded, in the environment of the run; durable with its end. Refused when a later holder of the environment wrote them already. */
  put(key: RunKey, outputs: readonly NewOutput[]): Promise<void>;
  get(stack: string, env: string, component: string): Promise<Output | undefined>;
  /** By component. */
  list(stack: string, env: string): Promise<readonly Output[]>;
  /** Forgets those of an environment. */
  clear(stack: string, env: string): Promise<void>;
}

export interface DatumOptions {
  /** What follows the algorithm in the id begins so. */
  readonly prefix?: string;
  /** Any of these. */
  readonly states?: readonly string[];
  /** 1000 without. */
  readonly limit?: number;
}

/** Versions of sources and computations of nodes, with what each comes from. They outlive the runs that made them. */
export interface Lineages {
  /**
   * Adds data, in the order of their age, and edges between data that are there: all of it or nothing. What is there already gets the new state, run
   * and detail; the newest of a source is the last that was added, or said to be current. With a lease only while that is held: rejects with `lease-lost`.
   */
  record(data: readonly NewDatum[], edges?: readonly DatumEdge[], lease?: Pick<Lease, "key" | "token">): Promise<void>;
  get(key: DatumKey): Promise<Datum | undefined>;
  /** The newest of each name that has any. */
  newest(kind: DatumKey["kind"], names: readonly string[]): Promise<readonly Datum[]>;
  /** Newest first. */
  list(of: Pick<DatumKey, "kind" | "name">, options?: DatumOptions): Promise<readonly Datum[]>;
  /** What a datum was made from, and what that was made from, and so on. Undefined: there is no such datum. */
  trace(key: DatumKey): Promise<Lineage | undefined>;
}

export interface Leases {
  /**
   * Waits for its turn, first come first served, and resolves with the lease. Whoever is gone without a word (killed, or unheard of for
   * `ttl`) loses its place. Aborting `signal` leaves the queue and rejects with its reason.
   */
  acquire(wish: LeaseWish): Promise<Lease>;
  /** The holder and the queue of a key, in order; of all keys without one. */
  list(key?: string): Promise<readonly LeaseEntry[]>;
}

/** Runs that wait for a worker. */
export interface Jobs {
  /** A durable row. Not `created`: a job with that `idempotencyKey` is there already. */
  add(job: NewJob): Promise<{ readonly job: Job; readonly created: boolean }>;
  /**
   * The job that waits longest and asks for none but these tags, if there is one. It belongs to this process until it is ended or given back;
   * when this process is gone, it waits again. One whose worker was gone `attempts` times is failed instead, with the reason `killed`.
   */
  take(tags: readonly string[], attempts: number): Promise<Job | undefined>;
  /** Which run does it. Gives the reason when somebody asked for its end meanwhile. Rejects with `job-taken-over`. */
  attach(key: JobKey, run: string): Promise<string | undefined>;
  /** Final. Ending it again in the same way does nothing. Rejects with `job-taken-over`. */
  end(key: JobKey, state: FinalJobState, reason?: string): Promise<Job>;
  /** It waits for a worker again, where it stood in the queue; `counted`: as one that was tried. Rejects with `job-taken-over`. */
  giveBack(key: JobKey, reason: string, counted: boolean): Promise<void>;
  /** A job that waits is over at once; of one that a worker has, cancel its run, too. Undefined: there is no such job, or it is over. */
  cancel(id: string, reason: string): Promise<Job | undefined>;
  get(id: string): Promise<Job | undefined>;
  /** Those that are open in the order of the queue, then those that are over, the newest first. */
  list(filter?: JobFilter): Promise<readonly Job[]>;
}

export interface LeaseWish {
  /** What only one may do at a time, e.g. `env:STACK/ENV`. */
  readonly key: string;
  /** The run that it is for; others are shown it, and `supersede` cancels it. */
  readonly run?: string;
  /** Cancels the runs that hold the key and wait for it (reason `superseded`), and comes next. */
  readonly supersede?: boolean;
  readonly signal: AbortSignal;
  /** Told when it must wait, and whenever the queue before it changes: the holder first. */
  readonly onWait?: (before: readonly LeaseEntry[]) => void;
}

export interface Lease {
  readonly key: string;
  /** Higher than that of every holder before. */
  readonly token: number;
  /** Aborts when the lease is lost, or when somebody supersedes it. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** Where rows are: a SQLite file (its directory is made), or a database of a PostgreSQL server. */
export type StoreLocation = { readonly file: string } | { readonly url: string };

export interface StoreOptions {
  readonly location: StoreLocation;
  /** "" without. */
  readonly tenant?: string;
  /** Milliseconds since 1970. Only shown to people: neither order nor leases depend on it. */
  readonly now: () => number;
  readonly limits?: { readonly events?: number; readonly logs?: number };
  /** How often this process says that it lives, and after which silence it counts as gone; milliseconds, 2000 and 30000 without. */
  readonly beat?: { readonly every: number; readonly ttl: number };
  /** How often a store that stays open looks whether a copy of it is due (SQLite), milliseconds; an hour without. */
  readonly copyEvery?: number;
  /** How long a call waits for a busy or vanished database; milliseconds, 30000 without. */
  readonly patience?: number;
  /** Told when something was mended on the way: an interrupted run marked, a backup that could not be made. */
  readonly onNotice?: (text: string) => void;
}
