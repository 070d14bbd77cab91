// pb.PassthroughOp: hands some inputs on, once all of them are made.
import type { PassthroughVertex } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { type OpCodec, toInput } from "./codec.ts";

export const passthrough: OpCodec<PassthroughVertex> = {
  validate({ id, inputs, outputs }) {
    if (inputs.length === 0) return "a passthrough needs an input";
    if (id === "") return "a passthrough needs an id";
    if (outputs.length === 0) return "a passthrough needs an output";
    const wrong = outputs.find((index) => !(index in inputs));
    return wrong === undefined ? undefined : `a passthrough with ${inputs.length} inputs has no input ${wrong}`;
  },
  inputs(vertex) {
    return vertex.inputs;
  },
  encode({ id, inputs, outputs }, context) {
    return {
      op: { $case: "passthrough", value: { id, outputs: outputs.map(BigInt) } },
      inputs: inputs.map((input) => toInput(input, context)),
      caps: [CAPS.passthrough],
    };
  },
};
