// What following sources is asked for, and what it tells.
import type { UserError } from "../../compiler/index.ts";
import type { UpEvent } from "../events.ts";
import type { Computed, NodeRequest } from "../nodes/index.ts";
import type { Source } from "../sources/source.ts";

/** Times are milliseconds. */
export interface FollowRequest extends Omit<NodeRequest, "force" | "onEvent" | "superseded"> {
  /** Between looks at a source that does not say so itself; 60,000 without it, 0 for never. */
  readonly poll?: number;
  /** A node that runs when an input has a new version is finished first, in place of being cancelled. */
  readonly queue?: boolean;
}

/** A source has a version that was not its newest before. */
export interface News {
  readonly source: Source;
  readonly id: string;
}

/** Nodes are named by their whole ids. */
export type FollowEvent =
  /** It has a version that was not its newest before; `fresh` versions are known that were not. */
  | { readonly type: "source"; readonly source: string; readonly state: "new"; readonly id: string; readonly fresh: number }
  /** It cannot be asked: told once, until that changes. Its newest version that is known counts meanwhile. */
  | { readonly type: "source"; readonly source: string; readonly state: "failed"; readonly error: UserError }
  /** It could not be asked before. */
  | { readonly type: "source"; readonly source: string; readonly state: "back"; readonly id: string }
  /** What a node gave is in its source by this commit: its own, or one that joins it with what had changed; `branch`: one of its own. */
  | { readonly type: "push"; readonly source: string; readonly state: "pushed"; readonly commit: string; readonly branch?: string }
  /** A person has to say what is meant; it is kept. */
  | { readonly type: "push"; readonly source: string; readonly state: "conflict"; readonly error: UserError }
  /** It is kept, and tried again after so many milliseconds (`again`); told once for each reason. */
  | { readonly type: "push"; readonly source: string; readonly state: "failed"; readonly error: UserError; readonly again: number }
  | { readonly type: "node"; readonly node: string; readonly state: "start" }
  | { readonly type: "node"; readonly node: string; readonly state: "event"; readonly event: UpEvent }
  | { readonly type: "node"; readonly node: string; readonly state: "done"; readonly computed: Computed }
  /** An input has a new version: it runs for that one next. */
  | { readonly type: "node"; readonly node: string; readonly state: "superseded" }
  /** It runs again when an input has a new version; after so many milliseconds (`again`) where its environment failed, not its command. */
  | { readonly type: "node"; readonly node: string; readonly state: "failed"; readonly error: UserError; readonly again?: number }
  /** A file of the workspace, its graph or its store is not as it has to be: told once, and nothing is followed until that is mended. */
  | { readonly type: "unfollowed"; readonly error: UserError }
  /** All nodes have run for what their inputs have: waits for news of so many sources. */
  | { readonly type: "following"; readonly sources: number; readonly nodes: number };
