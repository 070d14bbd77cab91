// What a watch is asked for, and what it tells.
import type { UserError } from "../../compiler/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import type { FollowEvent } from "../following/events.ts";
import type { RunTrigger, UpRequest } from "../request.ts";
import type { ConflictPolicy } from "../sources/conflict.ts";

/** As of a run; times are milliseconds. */
export interface WatchRequest
  extends Omit<UpRequest, "onEvent" | "plan" | "trigger" | "known" | "shellOnError" | "idempotencyKey" | "repeat"> {
  /** So long nothing more may change before a run begins; 50 without it. */
  readonly quiet?: number;
  /** A run begins so long after the first change at the latest; 500 without it. A flood of changes is waited for much longer. */
  readonly limit?: number;
  /** Between looks at what images, git refs and addresses stand for; 60,000 without it, 0 for never. */
  readonly poll?: number;
  /** A run that goes on when something changes is finished first, in place of being cancelled. */
  readonly queue?: boolean;
  /**
   * Whether the sources of the workspace are followed, and its nodes run: also, in place of a config, or not. Without it `also`; `only` where
   * there are sources and no config.
   */
  readonly sources?: "also" | "only" | "none";
  /** Nodes are left to workers that have their labels as tags. */
  readonly workers?: boolean;
  /** What becomes of what nodes give when its source has changed meanwhile, in place of what the source says. */
  readonly onConflict?: ConflictPolicy;
}

/** Runs count from 1. */
export type WatchEvent =
  /** A run begins; `components` are those that it is about, all of the job when it is empty. The first one has no trigger. */
  | { readonly type: "start"; readonly run: number; readonly trigger?: RunTrigger; readonly components: readonly string[] }
  /** What a run tells. */
  | { readonly type: "event"; readonly run: number; readonly event: UpEvent }
  | { readonly type: "end"; readonly run: number; readonly outcome: "done"; readonly result: UpResult }
  /** It failed, also because the config is wrong; the watch goes on. */
  | { readonly type: "end"; readonly run: number; readonly outcome: "failed"; readonly error: UserError }
  /** Something changed while it ran: the next one begins. */
  | { readonly type: "end"; readonly run: number; readonly outcome: "superseded" }
  /**
   * Nothing is left to run: waits for changes in so many directories, and of so many names, and for the time (milliseconds since 1970) of
   * what a schedule runs next.
   */
  | {
      readonly type: "waiting";
      readonly directories: number;
      readonly names: number;
      readonly next?: { readonly path: string; readonly time: number };
    }
  | { readonly type: "warning"; readonly code: string; readonly message: string; readonly detail: readonly string[] }
  | FollowEvent;
