// The door of following: sources that are asked by themselves, and nodes that run when they have something new.
export type { FollowEvent, FollowRequest } from "./events.ts";
export { Following } from "./follow.ts";
