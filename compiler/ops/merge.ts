// `merge`: several filesystems laid over each other, later ones on top, without copying files.

import { emptyState } from "../graph/state.ts";
import type { Output } from "../graph/vertex.ts";
import { required } from "./fields.ts";
import { from } from "./from.ts";
import type { OpSpec } from "./spec.ts";
import { listOf } from "./types.ts";
import type { From, OpBase } from "./use.ts";

export interface MergeOp extends OpBase<"merge"> {
  readonly inputs: readonly From[];
}

export const merge: OpSpec<MergeOp> = {
  do: "merge",
  fields: { inputs: required(listOf(from)) },
  words: (op) => `merge ${op.inputs.map((input) => input.value.path).join(" + ")}`,
  lower: (op, _state, context) => {
    const states = op.inputs.map((input) => context.load(input));
    const first = states[0] ?? emptyState(context.platform);
    const inputs = states.map((state) => state.fs).filter((fs): fs is Output => fs !== null);
    if (inputs.length < 2) return { ...first, fs: inputs[0] ?? null };
    return { ...first, fs: { vertex: { kind: "merge", inputs, meta: context.meta(op, merge.words(op)) }, index: 0 } };
  },
};
