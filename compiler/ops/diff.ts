// `diff`: what `upper` has that `lower` has not: the files that were added, changed or removed.
import { emptyState } from "../graph/state.ts";
import { required } from "./fields.ts";
import { from } from "./from.ts";
import type { OpSpec } from "./spec.ts";
import type { From, OpBase } from "./use.ts";

export interface DiffOp extends OpBase<"diff"> {
  readonly lower: From;
  readonly upper: From;
}

export const diff: OpSpec<DiffOp> = {
  do: "diff",
  fields: { lower: required(from), upper: required(from) },
  words: (op) => `diff ${op.lower.value.path} → ${op.upper.value.path}`,
  lower: (op, _state, context) => {
    const lower = context.load(op.lower);
    const upper = context.load(op.upper);
    if (lower.fs === null) return upper;
    const meta = context.meta(op, diff.words(op));
    return { ...emptyState(upper.platform), fs: { vertex: { kind: "diff", lower: lower.fs, upper: upper.fs, meta }, index: 0 } };
  },
};
