// pb.BuildOp: solves the Definition that lies in its input, inside the same build.
import type { BuildVertex } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { NONE, type OpCodec, toInput } from "./codec.ts";

/** Key of the input that holds the Definition, and the file name in it when none is given. */
const DEFINITION_INPUT = "buildkit.llb.definition";

export const buildop: OpCodec<BuildVertex> = {
  validate() {
    return undefined;
  },
  inputs(vertex) {
    return [vertex.from];
  },
  encode(vertex, context) {
    // Builder -1 is the LLB builder: the only one there is.
    const attrs: Record<string, string> = vertex.filename ? { "llbbuild.filename": vertex.filename } : {};
    return {
      op: { $case: "build", value: { builder: NONE, inputs: { [DEFINITION_INPUT]: { input: 0n } }, def: undefined, attrs } },
      inputs: [toInput(vertex.from, context)],
      platform: vertex.platform ?? context.options.platform,
      caps: [CAPS.build],
    };
  },
};
