// `symlink`: a symbolic link at `newpath` that holds `oldpath` as it is written.
import type { Chown } from "../graph/vertex.ts";
import { resolvePath } from "../llb/index.ts";
import { optional, required } from "./fields.ts";
import { fileOutput, given } from "./files.ts";
import { owner } from "./owner.ts";
import type { OpSpec } from "./spec.ts";
import { stamped, timestamp } from "./timestamp.ts";
import { name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface SymlinkOp extends OpBase<"symlink"> {
  readonly oldpath: string;
  readonly newpath: string;
  readonly owner?: Chown;
  /** Seconds since 1970. */
  readonly timestamp?: number;
}

export const symlink: OpSpec<SymlinkOp> = {
  do: "symlink",
  fields: { oldpath: required(name), newpath: required(name), owner: optional(owner), timestamp: optional(timestamp) },
  words: (op) => `symlink ${op.newpath} → ${op.oldpath}`,
  lower: (op, state, context) => {
    const newpath = resolvePath(state.dir, op.newpath);
    const action = { kind: "symlink", oldpath: op.oldpath, newpath, ...given("chown", op.owner), ...stamped(op.timestamp) } as const;
    return { ...state, fs: fileOutput(state.fs, [action], context.meta(op, symlink.words(op))) };
  },
};
