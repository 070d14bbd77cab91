// A host step as the daemon sees it: a directory of the client that the session serves.
import type { HostVertex, SourceVertex } from "../graph/vertex.ts";
import type { OpCodec } from "./codec.ts";
import { source } from "./source.ts";

export const host: OpCodec<HostVertex> = {
  validate(vertex) {
    return source.validate(toSource(vertex));
  },
  // What the process took was made by another Solve.
  inputs() {
    return [];
  },
  encode(vertex, context) {
    return source.encode(toSource(vertex), context);
  },
};

function toSource({ inputs: _, ...vertex }: HostVertex): SourceVertex {
  return { ...vertex, kind: "source" };
}
