// `scratch`: start again from the empty filesystem.
import { emptyState } from "../graph/state.ts";
import type { OpSpec } from "./spec.ts";
import type { OpBase } from "./use.ts";

export type ScratchOp = OpBase<"scratch">;

export const scratch: OpSpec<ScratchOp> = {
  do: "scratch",
  fields: {},
  words: () => "scratch",
  lower: (_op, _state, context) => emptyState(context.platform),
};
