// `mkdir`: makes a directory.
import type { Chown } from "../graph/vertex.ts";
import { resolvePath } from "../llb/index.ts";
import { optional, required, standard } from "./fields.ts";
import { fileOutput, given } from "./files.ts";
import { owner } from "./owner.ts";
import type { OpSpec } from "./spec.ts";
import { stamped, timestamp } from "./timestamp.ts";
import { boolean, mode, name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface MkdirOp extends OpBase<"mkdir"> {
  readonly path: string;
  /** Where a relative `path` starts; itself relative to the current directory. */
  readonly dir?: string;
  readonly mode: number;
  readonly parents: boolean;
  readonly owner?: Chown;
  /** Seconds since 1970. */
  readonly timestamp?: number;
}

export const mkdir: OpSpec<MkdirOp> = {
  do: "mkdir",
  fields: {
    path: required(name),
    dir: optional(name),
    mode: standard(mode, 0o755),
    parents: standard(boolean, true),
    owner: optional(owner),
    timestamp: optional(timestamp),
  },
  words: (op) => `mkdir ${op.path}`,
  lower: (op, state, context) => {
    const path = resolvePath(resolvePath(state.dir, op.dir ?? "."), op.path);
    const action = {
      kind: "mkdir",
      path,
      mode: op.mode,
      makeParents: op.parents,
      ...given("chown", op.owner),
      ...stamped(op.timestamp),
    } as const;
    return { ...state, fs: fileOutput(state.fs, [action], context.meta(op, mkdir.words(op))) };
  },
};
