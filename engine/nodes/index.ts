// Door of nodes: commands that take sources and give sources. Loaded when a command is about them.
export type { Computed, NodeRequest } from "./compute.ts";
export {
  listNodes,
  logNode,
  type NewNode,
  type NodeComputation,
  removeNode,
  runNode,
  type Updated,
  updateNodes,
} from "./manage.ts";
export { drawNetwork, type NetworkFormat, type NetworkRequest } from "./network.ts";
export type { Node } from "./node.ts";
