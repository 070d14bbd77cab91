// The door of watching.
export type { WatchEvent, WatchRequest } from "./events.ts";
export { watch } from "./watch.ts";
