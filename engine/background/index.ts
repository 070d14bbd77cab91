// The door of watches in the background.
export { backgroundLog, backgroundStatus, startBackground, stopBackground } from "./control.ts";
export { BoundedLog } from "../bounded-log.ts";
export { type BackgroundStatus, logOf, openStatus } from "./status.ts";
