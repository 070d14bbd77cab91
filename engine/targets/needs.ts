// What nodes need, and what comes with them.
import type { TargetNode } from "./target.ts";

/** Nodes with all that they need, in the order of `all`. */
export function withNeeds(nodes: readonly TargetNode[], all: readonly TargetNode[]): TargetNode[] {
  const found = new Set<TargetNode>();
  const add = (node: TargetNode): void => {
    if (found.has(node)) return;
    found.add(node);
    node.needs.forEach(add);
  };
  nodes.forEach(add);
  return all.filter((node) => found.has(node));
}
