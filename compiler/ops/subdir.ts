// `subdir`: one directory of the filesystem becomes the whole of it.
import { emptyState } from "../graph/state.ts";
import { resolvePath } from "../llb/index.ts";
import { required } from "./fields.ts";
import { copyContents, fileOutput } from "./files.ts";
import type { OpSpec } from "./spec.ts";
import { name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface SubdirOp extends OpBase<"subdir"> {
  readonly dir: string;
}

export const subdir: OpSpec<SubdirOp> = {
  do: "subdir",
  fields: { dir: required(name) },
  words: (op) => `subdir ${op.dir}`,
  lower: (op, state, context) => ({
    ...emptyState(state.platform),
    env: state.env,
    user: state.user,
    fs: fileOutput(null, [copyContents(state.fs, resolvePath(state.dir, op.dir), "/")], context.meta(op, subdir.words(op))),
  }),
};
