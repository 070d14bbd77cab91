// The door of runtime/daemon: which buildkitd to use, and the embedded one.

export { type DaemonOptions, type DaemonStatus, daemonLogs, daemonStatus, ensureDaemon, stopDaemon } from "./daemon.ts";
export { type FindOptions, type FoundDaemon, findDaemon, lookForDaemon, type RunningDaemon } from "./find.ts";
export { findBuildkitd } from "./location.ts";
export { readLog } from "./logs.ts";
export type { Requirement } from "./requirement.ts";
export { daemonRequirements } from "./requirements.ts";
