// Door of engine/plan: what a job would do, and pictures of it.

export type { Effect } from "./effects.ts";
export { type PlanRequest, plan } from "./make.ts";
export { drawComponents, drawSteps, type PictureOptions } from "./picture/graph.ts";
export type { Plan, PlannedComponent, PlannedState } from "./plan.ts";
export { plannedRequest } from "./planned.ts";
export { readRecord } from "./record.ts";
export { checkPlan, lookAround, readPlan, type WorldFacts } from "./saved.ts";
