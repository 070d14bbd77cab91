// What a store keeps, as data: runs, their components, what they told, what environments gave last, and who waits for what.

/** Data that JSON can say. Secrets are never part of it: whoever writes scrubs before. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** `queued` and `running` are open; the others are final, and nothing of such a run changes again. */
export type RunState = "queued" | "running" | FinalState;
export type FinalState = "done" | "failed" | "interrupted" | "cancelled";

/** All times are milliseconds since 1970 by the clock of the process that wrote them. Order is by `seq`, never by time. */
export interface Run {
  /** 18 characters; ids of later runs of a store sort after those of earlier ones, also when the clock went back. */
  readonly id: string;
  /** Position among all runs of the store, from 1. A tenant may see gaps. */
  readonly seq: number;
  readonly tenant: string;
  /** Slugs; "" for a run outside of stacks. */
  readonly stack: string;
  readonly env: string;
  readonly state: RunState;
  readonly created: number;
  readonly started?: number;
  readonly ended?: number;
  /** What a writer of the run must show. It changes when the run starts under a lease, and what showed the old one is refused from then on. */
  readonly token: number;
  readonly versions: Versions;
  /** Digest of the blob that has the exact config. */
  readonly config?: string;
  /** What was asked for, without secrets. */
  readonly request: Json;
  readonly passes: number;
  /** Counts and times at the end; whoever records decides what is in it. */
  readonly summary?: Json;
  /** Why a final state is what it is, as a word: `superseded`, `timeout`, `killed`, … */
  readonly reason?: string;
  /** Whose fault a failure was. */
  readonly category?: "user" | "infra";
  /** The run that this one repeats or resumes. */
  readonly parent?: string;
  /** Somebody asked for its end, for this reason; the process that runs it has not obeyed yet, or has. */
  readonly cancelling?: string;
}

export interface Versions {
  readonly dagger: string;
  readonly cue: string;
  readonly buildkit: string;
}

export interface NewRun {
  readonly stack: string;
  readonly env: string;
  readonly versions: Versions;
  readonly request: Json;
  readonly config?: string;
  readonly parent?: string;
  /** Creating a run again with the same key gives the run that is there. At most 200 characters; unique in a tenant. */
  readonly idempotencyKey?: string;
  /** It waits for no lease: `running` from the beginning, without `start`. */
  readonly startsAtOnce?: boolean;
}

/** What may be said of an open run while it runs. */
export interface RunChange {
  readonly versions?: Versions;
  readonly config?: string;
  readonly passes?: number;
  readonly summary?: Json;
}

export interface RunEnd extends RunChange {
  readonly state: FinalState;
  readonly reason?: string;
  readonly category?: "user" | "infra";
}

/** Shown with every write of a run: a process that lost its run cannot write into it any more. */
export interface RunKey {
  readonly id: string;
  readonly token: number;
}

export interface RunFilter {
  readonly stack?: string;
  readonly env?: string;
  /** Any of these. */
  readonly states?: readonly RunState[];
  /** Its id begins so. */
  readonly prefix?: string;
  /** Created at or after / before these times. */
  readonly since?: number;
  readonly before?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** 1 to 1000, 50 without. */
  readonly limit?: number;
}

export interface RunPage {
  /** Newest first. */
  readonly runs: readonly Run[];
  /** Not there on the last page. Stays right while runs are added and pruned. */
  readonly next?: string;
}

/** What became of one component in one run. */
export interface RunComponent {
  /** CUE path. */
  readonly path: string;
  readonly state: "waiting" | "running" | "done" | "cached" | "failed" | "cancelled" | "skipped" | "undone";
  readonly steps: number;
  readonly cached: number;
  readonly ms: number;
  readonly outputs?: Json;
  /** What its result depends on, by name: `why` compares these. */
  readonly fingerprints?: Readonly<Record<string, string>>;
  /** Digest of the blob with its Definition. */
  readonly definition?: string;
  readonly error?: string;
}

export interface NewEvent {
  readonly time: number;
  readonly type: string;
  readonly data: Json;
}

/** Bytes as a process wrote them: not cut at lines, UTF-8 or not. */
export interface NewLog {
  readonly time: number;
  /** CUE path; "" for steps that dagger adds. */
  readonly component: string;
  /** Digest of the step's vertex. */
  readonly step: string;
  /** 1 stdout, 2 stderr. */
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
}

/** Entries count from 1 in each run, separately for events and logs, without gaps. */
export type Numbered<Entry> = Entry & { readonly seq: number };

export interface JournalPage<Entry> {
  /** In order. */
  readonly entries: readonly Numbered<Entry>[];
  /** Give it as `after` for what follows. Without new entries it is the `after` that was given. */
  readonly cursor: number;
  /** There is more at this moment. */
  readonly more: boolean;
  /** What is missing between entries of this page, or before them, because the run told more than is kept. */
  readonly cut?: Cut;
}

/** The middle of a run that told too much: the beginning and the end are kept. */
export interface Cut {
  /** First and last `seq` that are gone. */
  readonly from: number;
  readonly to: number;
  /** Bytes that are gone; for logs, their bytes as written, for events, as JSON. */
  readonly bytes: number;
  /** Line ends in what is gone; 0 for events. */
  readonly lines: number;
}

/** What the last successful run of a component gave, in one environment. */
export interface Output {
  readonly stack: string;
  readonly env: string;
  readonly component: string;
  readonly value: Json;
  /** Inputs, sources and images that it was made from. */
  readonly provenance: Json;
  readonly run: string;
  readonly time: number;
}

export type NewOutput = Pick<Output, "component" | "value" | "provenance">;

/** A holder of a lease, or one who waits for it. */
export interface LeaseEntry {
  readonly key: string;
  readonly state: "held" | "waiting";
  /** The holder's fencing token: higher than that of every holder before. 0 while waiting. */
  readonly token: number;
  readonly run?: string;
  /** Who it is, for people: `pid 4711 on build-7`. */
  readonly holder: string;
  /** Since when, by the database's clock. */
  readonly since: number;
}

/** What becomes of a job: `queued` until a worker takes it, and again when its worker is gone. */
export type JobState = "queued" | "running" | FinalJobState;
export type FinalJobState = "done" | "failed" | "cancelled";

/** A run that is asked for, of an environment, by whichever worker can. */
export interface Job {
  readonly id: string;
  readonly stack: string;
  readonly env: string;
  /** What a worker must have: sorted. */
  readonly tags: readonly string[];
  readonly state: JobState;
  /** What the run is to be like. No secrets. */
  readonly request: Json;
  /** How often a worker took it. */
  readonly attempts: number;
  /** Raised whenever a worker takes it. */
  readonly token: number;
  /** The run that does it, or did it last. */
  readonly run?: string;
  /** Who has it, for people: `pid 4711 on build-7`. */
  readonly worker?: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly ended?: number;
  /** Why it is over, or was given back, in words. */
  readonly reason?: string;
}

export interface NewJob {
  readonly stack: string;
  readonly env: string;
  readonly tags: readonly string[];
  readonly request: Json;
  /** Of several jobs with the same key there is only the first. */
  readonly idempotencyKey?: string;
}

/** Shown by the worker that has a job: one that lost it can end it no more. */
export type JobKey = Pick<Job, "id" | "token">;

export interface JobFilter {
  /** Any of these. */
  readonly states?: readonly JobState[];
  /** Its id begins so. */
  readonly prefix?: string;
  /** 1 to 1000, 50 without. */
  readonly limit?: number;
}

/** A version of a source, or a computation of a node: what provenance is told of. And what of these has still to be pushed to its source. */
export interface DatumKey {
  readonly kind: "version" | "computation" | "push";
  /** Of a version or push its source, of a computation its node. */
  readonly name: string;
  /** Unique in its source or node: `sha1:…`, `sha256:…` of a version. */
  readonly id: string;
}

export interface NewDatum extends DatumKey {
  /** Of a computation `pending`, `success` or `failure`; of a push `waiting`, `conflict`, `pushed` or `dropped`; "" of a version. */
  readonly state: string;
  /** The run that made it. */
  readonly run?: string;
  /** What else there is to say of it. */
  readonly detail: Json;
  /** It is what its source has now, also when other versions were seen after it. */
  readonly isCurrent?: boolean;
}

export interface Datum extends Omit<NewDatum, "isCurrent"> {
  /** When it was seen for the first time. */
  readonly time: number;
}

/**
 * `child` comes from `parent`: computations from their inputs, outputs from computations, parts from what they are parts of, merges from what they join,
 * links by hand. `before`: it was added to that.
 */
export interface DatumEdge {
  readonly child: DatumKey;
  readonly parent: DatumKey;
  readonly kind: "input" | "output" | "part" | "merge" | "link" | "before";
}

/** All that something was made from. */
export interface Lineage {
  /** With itself, in the order in which they were seen for the first time. */
  readonly data: readonly Datum[];
  readonly edges: readonly DatumEdge[];
}
