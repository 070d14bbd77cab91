// Door of pushing: what nodes give to repositories, on its way to their remotes. Loaded when a command is about it.
export { listPushes, pushFailure, pushSources, resolveSource } from "./manage.ts";
export type { Push, PushState } from "./records.ts";
export type { Resolution, Settled } from "./waiting.ts";
