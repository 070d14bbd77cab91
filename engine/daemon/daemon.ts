// The embedded daemon for the CLI and for embedding programs: start, look, stop, read its log.

export type { DaemonStatus } from "../../runtime/daemon/index.ts";
export { daemonLogs, daemonStatus, ensureDaemon, stopDaemon } from "../../runtime/daemon/index.ts";
