// The door of runtime/solve: connect to a BuildKit daemon and run jobs on it.
export { type Address, parseAddress, standardAddress, type TlsOptions } from "./address.ts";
export { Build, type BuildOptions, type BuildResult, type ExporterSpec } from "./build.ts";
export { type CacheRecord, Client, connect, type DaemonInfo, type PruneOptions, type Worker } from "./client.ts";
export { SolveError, type SolveFailure, type SourceRange } from "./errors.ts";
export type { DirEntry, GatewayPlatform, ResultRef } from "./gateway.ts";
export type { StatusUpdate, StatusVertex, VertexLog, VertexProgress, VertexWarning } from "./status.ts";
