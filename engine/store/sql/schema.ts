// The tables, as Kysely knows them. migrations.ts makes them; docs/store.md tells what they are for. JSON is text, times are milliseconds.
import type { Kysely } from "kysely";

export interface Tables {
  /** `format`: the version of this schema. */
  meta: { name: string; value: string };
  /** Numbers that are drawn once; drawing locks the row, so that order of numbers is order of commits. */
  counters: { name: string; value: number; stamp: number };
  /** Processes that have open runs or leases; `until` is by the database's clock. */
  holders: { id: string; machine: string; pid: number; birth: string; label: string; until: number };
  runs: RunRow;
  components: {
    run: number;
    path: string;
    state: string;
    steps: number;
    cached: number;
    ms: number;
    outputs: string | null;
    fingerprints: string | null;
    definition: string | null;
    error: string | null;
  };
  /** One row for the events of a run (kind 1) and one for its logs (kind 2). */
  journals: {
    run: number;
    kind: number;
    last: number;
    /** Bytes in chunks. */
    kept: number;
    /** Last entry of the beginning that is always kept. */
    head: number;
    cut_from: number;
    cut_to: number;
    cut_bytes: number;
    cut_lines: number;
  };
  /** Entries `first` to `last`, packed; see pack.ts. */
  chunks: { run: number; kind: number; first: number; last: number; bytes: number; lines: number; data: Uint8Array };
  blobs: { tenant: string; digest: string; data: Uint8Array };
  /** Which runs need a blob. */
  blob_uses: { run: number; tenant: string; digest: string };
  outputs: {
    tenant: string;
    stack: string;
    env: string;
    component: string;
    value: string;
    provenance: string;
    run: string;
    time: number;
    token: number;
  };
  jobs: {
    /** Order of the queue. */
    seq: number;
    id: string;
    tenant: string;
    stack: string;
    env: string;
    /** JSON, sorted. */
    tags: string;
    state: string;
    request: string;
    attempts: number;
    token: number;
    run: string | null;
    holder: string | null;
    created: number;
    ended: number | null;
    reason: string | null;
    /** Why somebody wants its end, while a worker has it. */
    cancelling: string | null;
    idempotency: string;
    /** Made by who takes it, so that a repeated call finds its job. */
    ticket: string | null;
  };
  /** Versions of sources and computations of nodes. */
  data: DatumRow;
  /** Which of them come from which. */
  data_edges: { child: number; parent: number; kind: string };
  leases: {
    /** Order of the queue. */
    id: number;
    tenant: string;
    key: string;
    state: "held" | "waiting";
    token: number;
    run: string | null;
    holder: string;
    since: number;
    superseded: number;
    /** Made by who enqueues, so that a repeated call finds its entry. */
    ticket: string;
  };
}

export interface RunRow {
  seq: number;
  id: string;
  tenant: string;
  stack: string;
  env: string;
  state: string;
  created: number;
  started: number | null;
  ended: number | null;
  token: number;
  versions: string;
  config: string | null;
  request: string;
  passes: number;
  summary: string | null;
  reason: string | null;
  category: string | null;
  parent: string | null;
  cancelling: string | null;
  holder: string | null;
  idempotency: string;
}

export interface DatumRow {
  seq: number;
  /** Order within its name: raised when it is current again. */
  seen: number;
  tenant: string;
  kind: string;
  name: string;
  id: string;
  /** The id without its algorithm: people begin with it. */
  hex: string;
  state: string;
  run: string | null;
  detail: string;
  time: number;
}

export type Db = Kysely<Tables>;
