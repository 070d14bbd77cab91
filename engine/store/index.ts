// The door of the store: what is remembered between runs.
export type * from "./records.ts";
export type * from "./store.ts";
