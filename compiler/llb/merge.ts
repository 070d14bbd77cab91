// pb.MergeOp: the inputs laid over each other, the last one on top. An input that appears twice is listed twice.
import type { MergeVertex } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { type OpCodec, toInput } from "./codec.ts";

export const merge: OpCodec<MergeVertex> = {
  validate(vertex) {
    return vertex.inputs.length < 2 ? `a merge needs two inputs or more, got ${vertex.inputs.length}` : undefined;
  },
  inputs(vertex) {
    return vertex.inputs;
  },
  encode(vertex, context) {
    return {
      op: { $case: "merge", value: { inputs: vertex.inputs.map((_, i) => ({ input: BigInt(i) })) } },
      inputs: vertex.inputs.map((input) => toInput(input, context)),
      caps: [CAPS.merge],
    };
  },
};
