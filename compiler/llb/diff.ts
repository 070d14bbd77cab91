// pb.DiffOp: what `upper` has and `lower` has not. The same input on both sides is listed twice.
import type { Input } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { DiffVertex, Ref } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { NONE, type OpCodec, toInput } from "./codec.ts";

export const diff: OpCodec<DiffVertex> = {
  validate() {
    return undefined;
  },
  inputs(vertex) {
    return [vertex.lower, vertex.upper];
  },
  encode(vertex, context) {
    const inputs: Input[] = [];
    const position = (ref: Ref): bigint => (ref === null ? NONE : BigInt(inputs.push(toInput(ref, context)) - 1));
    const lower = { input: position(vertex.lower) };
    const upper = { input: position(vertex.upper) };
    return { op: { $case: "diff", value: { lower, upper } }, inputs, caps: [CAPS.diff] };
  },
};
