// The door of provenance: why a component runs. Recording uses the parts themselves, in two threads.
export type { Change, ComponentChanges } from "./compare.ts";
export { type Verdict, type Why, type WhyRequest, why } from "./why.ts";
