// `symlink`: a symbolic link at `newpath` that holds `oldpath` as it is written.
import type { Chown } from "../graph/vertex.ts";
import { resolvePath } from "../llb/index.ts";
import { optional, required } from "./fields.ts";
import { fileOutput, given } from "./files.ts";
import { owner } from "./owner.ts";
import type { OpSpec } from "./spec.ts";
import { name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface SymlinkOp extends OpBase<"symlink"> {
  readonly oldpath: string;
  readonly newpath: string;
  readonly owner?: Chown;
}

export const symlink: OpSpec<SymlinkOp> = {
  do: "symlink",
  fields: { oldpath: required(name), newpath: required(name), owner: optional(owner) },
  words: (op) => `symlink ${op.newpath} → ${op.oldpath}`,
  lower: (op, state, context) => {
    const newpath = resolvePath(state.dir, op.newpath);
    const action = { kind: "symlink", oldpath: op.oldpath, newpath, ...given("chown", op.owner) } as const;
    return { ...state, fs: fileOutput(state.fs, [action], context.meta(op, symlink.words(op))) };
  },
};
