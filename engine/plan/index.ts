// Door of engine/plan: what a job would do, and pictures of it.
export { drawJob } from "./graph.ts";
export { readRecord } from "./record.ts";
