// Walks vertices: what each one needs, and all of them in build order.
import type { FileChain, Output, Ref, Vertex } from "./vertex.ts";

/** The outputs that a vertex needs, scratch left out, in the order of its fields. */
export function inputsOf(vertex: Vertex): Output[] {
  return refsOf(vertex).filter((ref) => ref !== null);
}

function refsOf(vertex: Vertex): readonly Ref[] {
  switch (vertex.kind) {
    case "source":
      return [];
    case "exec":
      return [vertex.root, ...vertex.mounts.map((mount) => (mount.kind === "bind" || mount.kind === "cache" ? mount.from : null))];
    case "file":
      return [...chainRefs(vertex), ...(vertex.also ?? [])];
    case "host":
    case "merge":
    case "passthrough":
      return vertex.inputs;
    case "diff":
      return [vertex.lower, vertex.upper];
    case "build":
      return [vertex.from];
    case "raw":
      return vertex.inputs;
  }
}

function chainRefs({ base, actions }: FileChain): Ref[] {
  const sources = actions.flatMap((action) => {
    if (action.kind !== "copy") return [];
    return action.chain === undefined ? [action.from] : chainRefs(action.chain);
  });
  return [base, ...sources];
}

/** Every vertex that the outputs need, each once, inputs before users. On a stack of its own: graphs may be deep. */
export function buildOrder(outputs: readonly Ref[]): Vertex[] {
  const order: Vertex[] = [];
  const seen = new Set<Vertex>();
  for (const output of outputs) {
    if (output === null || seen.has(output.vertex)) continue;
    seen.add(output.vertex);
    const stack = [{ vertex: output.vertex, inputs: inputsOf(output.vertex), next: 0 }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const input = frame.inputs[frame.next++];
      if (input === undefined) {
        order.push(frame.vertex);
        stack.pop();
      } else if (!seen.has(input.vertex)) {
        seen.add(input.vertex);
        stack.push({ vertex: input.vertex, inputs: inputsOf(input.vertex), next: 0 });
      }
    }
  }
  return order;
}
