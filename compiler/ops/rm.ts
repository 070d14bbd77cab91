// `rm`: removes a file or a directory with all that is in it.
import { resolvePath } from "../llb/index.ts";
import { required, standard } from "./fields.ts";
import { fileOutput } from "./files.ts";
import type { OpSpec } from "./spec.ts";
import { boolean, name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface RmOp extends OpBase<"rm"> {
  readonly path: string;
  readonly allowNotFound: boolean;
  readonly wildcard: boolean;
}

export const rm: OpSpec<RmOp> = {
  do: "rm",
  fields: { path: required(name), allowNotFound: standard(boolean, false), wildcard: standard(boolean, false) },
  words: (op) => `rm ${op.path}`,
  lower: (op, state, context) => {
    const path = resolvePath(state.dir, op.path);
    const action = { kind: "rm", path, allowNotFound: op.allowNotFound, allowWildcard: op.wildcard } as const;
    return { ...state, fs: fileOutput(state.fs, [action], context.meta(op, rm.words(op))) };
  },
};
