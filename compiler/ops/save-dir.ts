// `save-dir`: writes a directory of the filesystem to the client, below the workspace.
import { resolvePath } from "../llb/index.ts";
import { required, standard } from "./fields.ts";
import type { OpSpec } from "./spec.ts";
import { boolean, name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface SaveDirOp extends OpBase<"save-dir"> {
  /** On the client, relative to the config's directory. */
  readonly dest: string;
  readonly src: string;
  /** What else lies at dest is removed. */
  readonly exact: boolean;
}

export const saveDir: OpSpec<SaveDirOp> = {
  do: "save-dir",
  fields: { dest: required(name), src: standard(name, "/"), exact: standard(boolean, false) },
  words: (op) => `save-dir ${op.src} → ${op.dest}`,
  lower: (op, state, context) => {
    const dest = context.directory(op.dest, op, "dest");
    if (dest !== undefined) context.saveDir(op, state.fs, resolvePath(state.dir, op.src), dest, op.exact);
    return state;
  },
};
