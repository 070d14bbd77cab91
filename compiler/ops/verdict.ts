// `verdict`: a file whose text, where there is any, is what failed: the run ends with it after all that it gave is in place.
import { resolvePath } from "../llb/index.ts";
import { optional, required } from "./fields.ts";
import { copyAction, fileOutput } from "./files.ts";
import type { OpSpec } from "./spec.ts";
import { name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface VerdictOp extends OpBase<"verdict"> {
  readonly source: string;
  /** CUE path, from the component on, of the part of it that fails by this; without it that is the component. */
  readonly part?: string;
}

export const verdict: OpSpec<VerdictOp> = {
  do: "verdict",
  fields: { source: required(name), part: optional(name) },
  words: (op) => `verdict ${op.source}`,
  lower: (op, state, context) => {
    const action = copyAction(state.fs, resolvePath(state.dir, op.source), "/value", { followSymlinks: true });
    context.verdict(op, fileOutput(null, [action], context.meta(op, verdict.words(op))));
    return state;
  },
};
