// `load`: go on from where a component ended: its filesystem, environment, directory and user, but not its exports.
import { required } from "./fields.ts";
import { from } from "./from.ts";
import type { OpSpec } from "./spec.ts";
import type { From, OpBase } from "./use.ts";

export interface LoadOp extends OpBase<"load"> {
  readonly from: From;
}

export const load: OpSpec<LoadOp> = {
  do: "load",
  fields: { from: required(from) },
  words: (op) => `load ${op.from.value.path}`,
  lower: (op, _state, context) => context.load(op.from),
};
