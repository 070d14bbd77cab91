// What the engine tells while a job runs, and what it gives at the end. The CLI prints these; an embedding program may store them.
import type { Hook, Position, Waiting } from "../compiler/index.ts";
import type { StatusUpdate } from "../runtime/solve/index.ts";
import type { TestReport } from "./testing/report.ts";

/** A step is one vertex of the graph; `digest` identifies it in every later event. Times are milliseconds since 1970. */
export type UpEvent =
  | { readonly type: "phase"; readonly phase: "evaluate" | "connect" | "compile" | "solve" | "save" }
  /** It is in the history by now, under this id, and nothing has run yet. `of`: of a dependency, STACK/ENVIRONMENT. */
  | { readonly type: "recorded"; readonly run: string; readonly of?: string }
  /** A pass starts; from the second on, `because` names the values that CUE needed first, `hosts` the components that ran on this machine first. */
  | { readonly type: "pass"; readonly pass: number; readonly because: readonly string[]; readonly hosts?: readonly string[] }
  /** Of a run that begins because of a change, or at its time: what has changed, a few of it, and how many more; `components` that run, all when it is empty. */
  | {
      readonly type: "change";
      readonly kind: "watch" | "schedule";
      readonly changed: readonly string[];
      readonly more: number;
      readonly components: readonly string[];
    }
  /** Hooks begin: what they are about has come to where they run. Their steps follow as those of the job. */
  | { readonly type: "hooks"; readonly hooks: readonly Omit<HookRun, "state">[] }
  /** The steps of the graph that was just compiled, in build order. */
  | { readonly type: "plan"; readonly steps: readonly Step[] }
  | {
      readonly type: "step";
      readonly step: Step;
      readonly state: "started" | "cached" | "done" | "error" | "canceled";
      readonly started?: number;
      readonly completed?: number;
      readonly error?: string;
    }
  /** Sub-progress of a step, e.g. a layer being pulled or files being transferred; `total` 0 when unknown. */
  | {
      readonly type: "status";
      readonly step: Step;
      readonly id: string;
      readonly name: string;
      readonly current: number;
      readonly total: number;
      readonly completed: boolean;
    }
  /** Bytes as the process wrote them: not cut at lines. stream 1 is stdout, 2 stderr. */
  | { readonly type: "log"; readonly step: Step; readonly stream: 1 | 2; readonly data: Uint8Array; readonly time: number }
  | {
      readonly type: "warning";
      /** Stable, for programs (docs/errors.md); not all warnings have one. */
      readonly code?: string;
      readonly message: string;
      readonly detail: readonly string[];
      readonly at: readonly Position[];
      /** The daemon's own, which `solve` has told, too. */
      readonly fromDaemon?: true;
    }
  /**
   * Of a run with dependencies: what becomes of an environment that is needed. Its own events come among the others, with `STACK/ENV:` before
   * its components, and `STACK/ENV ` before its digests.
   */
  | {
      readonly type: "dependency";
      readonly stack: string;
      readonly environment: string;
      readonly state: "current" | "started" | "done" | "failed" | "skipped";
      readonly because: readonly string[];
    }
  /** What the daemon told, as it told it; the events above say the same in the terms of the config. */
  | { readonly type: "solve"; readonly status: StatusUpdate };

export interface Step {
  readonly digest: string;
  /** The op in words, e.g. `exec go build ./...`. */
  readonly name: string;
  /** CUE path of its component; empty for steps that dagger adds itself (collecting results). */
  readonly component: string;
  readonly at: readonly Position[];
}

/** A hook that ran. */
export interface HookRun extends Pick<Hook, "path" | "on" | "of"> {
  readonly state: "done" | "failed";
}

/** An environment whose outputs are needed. */
export interface DependencyRun {
  /** Slugs. */
  readonly stack: string;
  readonly environment: string;
  /** `current`: it did not have to run. `skipped`: something that it needs failed. */
  readonly state: "current" | "done" | "failed" | "skipped";
  /** Why it ran, failed or was skipped. */
  readonly because: readonly string[];
}

/** What a job gave. */
export interface UpResult {
  /** The config's concrete regular fields after the last pass, as JSON-able data: exported scalars as themselves, artifacts as {}. */
  readonly values: unknown;
  /** Only what `export` ops computed, by CUE path. */
  readonly computed: Readonly<Record<string, unknown>>;
  /** Directories written on this machine. */
  readonly saved: readonly { readonly path: string; readonly dest: string; readonly files: number; readonly bytes: number }[];
  /** Images that were pushed, and archives (`dest`) written on this machine. */
  readonly images: readonly {
    readonly path: string;
    readonly ref: string;
    readonly digest: string;
    readonly platforms: readonly string[];
    readonly dest?: string;
  }[];
  /** Components that a gradual run left undone, with the CUE paths of the values that they miss; not there when there are none. */
  readonly undone?: readonly { readonly path: string; readonly missing: readonly string[] }[];
  /** What tests gave; only of a run of tests. */
  readonly tests?: TestReport;
  /** Components that their triggers keep from running; not there when there are none. */
  readonly waiting?: readonly Waiting[];
  /** Hooks that ran, in that order; not there when the job has none. */
  readonly hooks?: readonly HookRun[];
  /** Environments that were looked at, and run where they were not up to date; only of a run with dependencies. */
  readonly dependencies?: readonly DependencyRun[];
  readonly passes: readonly { readonly because: readonly string[]; readonly hosts?: readonly string[] }[];
  readonly steps: { readonly total: number; readonly cached: number; readonly run: number };
  readonly ms: number;
}
