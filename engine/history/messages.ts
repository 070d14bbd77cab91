// What a run and its recorder, which works in a thread of its own, say to each other. Both are of the same build.
import type { Diagnostic, ExitCode } from "../../compiler/index.ts";
import type { OpenFacts } from "../provenance/facts.ts";
import type { Listed } from "../provenance/files.ts";
import type { Json, LeaseEntry, NewEvent, NewLog, NewOutput, NewRun, RunComponent, RunEnd, StoreLocation } from "../store/index.ts";

/** Given to the thread when it starts. */
export interface RecorderTask {
  readonly location: StoreLocation;
  readonly tenant: string;
  readonly run: NewRun;
  /** What only one run may have at a time. */
  readonly lease?: { readonly key: string; readonly supersede: boolean };
  /** Absolute directory where it may keep digests of files of this machine. */
  readonly digests?: string;
}

export interface Entries {
  readonly events: readonly NewEvent[];
  readonly logs: readonly NewLog[];
  readonly components: readonly RunComponent[];
}

/** The last word of a run. */
export interface Ending extends Entries {
  readonly end: RunEnd;
  readonly outputs: readonly Pick<NewOutput, "component" | "value">[];
  /** What the outputs were made from, beside the config. */
  readonly provenance: { readonly [key: string]: Json };
}

/** From the run. */
export type ToRecorder =
  | ({ readonly type: "entries"; readonly bytes: number } & Entries)
  /** The exact config, as JSON text. */
  | { readonly type: "config"; readonly text: string }
  | { readonly type: "daemon"; readonly name: string }
  /** What the components are made from; later ones replace earlier ones. */
  | { readonly type: "facts"; readonly facts: OpenFacts }
  /** Files that were sent, by the key that facts have for them. */
  | { readonly type: "listed"; readonly key: string; readonly files: Listed }
  | ({ readonly type: "end" } & Ending)
  /** Whoever started the run wants it to end. */
  | { readonly type: "abort" };

/** From the recorder. */
export type FromRecorder =
  /** The row is durable; not `created`: a run with its idempotency key was there. */
  | { readonly type: "created"; readonly run: string; readonly created: boolean }
  /** The row is durable, and the run's turn has come. */
  | { readonly type: "ready"; readonly run: string }
  | { readonly type: "waiting"; readonly before: readonly LeaseEntry[] }
  | { readonly type: "notice"; readonly text: string }
  /** Entries of so many bytes were written. */
  | { readonly type: "written"; readonly bytes: number }
  /** Somebody else wants the run to end, or its place was taken. */
  | { readonly type: "cancel"; readonly error: PlainError }
  | { readonly type: "ended" }
  | { readonly type: "failed"; readonly error: PlainError };

/** An error on its way between threads, where classes are lost. */
export interface PlainError {
  readonly exit: ExitCode;
  readonly diagnostics: readonly Diagnostic[];
}
