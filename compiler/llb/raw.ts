// An op that was encoded elsewhere: its bytes go into the Definition untouched.
import { Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { RawVertex } from "../graph/vertex.ts";
import { type OpCodec, toInput } from "./codec.ts";

export const raw: OpCodec<RawVertex> = {
  validate(vertex) {
    const { op, inputs } = Op.decode(vertex.bytes);
    if (op === undefined) return "an op made elsewhere has nothing in it";
    return inputs.length === vertex.inputs.length ? undefined : `it has ${inputs.length} inputs, but ${vertex.inputs.length} are given`;
  },
  inputs(vertex) {
    return vertex.inputs;
  },
  encode(vertex, context) {
    const decoded = Op.decode(vertex.bytes);
    const inputs = vertex.inputs.map((input) => toInput(input, context));
    const foreign = decoded.inputs.find(({ digest, index }, i) => digest !== inputs[i]?.digest || index !== inputs[i]?.index);
    if (foreign !== undefined) throw new Error(`its input ${foreign.digest} is not in the graph`);
    return { op: decoded.op as NonNullable<typeof decoded.op>, inputs, caps: vertex.caps, bytes: vertex.bytes };
  },
};
