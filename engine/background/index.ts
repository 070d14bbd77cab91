// The door of watches in the background.

export { BoundedLog } from "../bounded-log.ts";
export { backgroundLog, backgroundStatus, startBackground, stopBackground } from "./control.ts";
export { type BackgroundStatus, logOf, openStatus } from "./status.ts";
