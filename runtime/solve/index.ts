// The door of runtime/solve: connect to a BuildKit daemon and run jobs on it.
export { Build, type BuildResult } from "./build.ts";
export type { CacheEntry, CacheOptions } from "./cache.ts";
export { type CacheFailure, readableReason } from "./cache-steps.ts";
export type { DaemonCapabilities } from "./capabilities.ts";
export { type CacheRecord, Client, type ConnectOptions, connect, type DaemonInfo, type PruneOptions, type Worker } from "./client.ts";
export type { Container, ContainerMount, ContainerSpec } from "./container.ts";
export { SolveError, type SolveFailure, type SourceRange } from "./errors.ts";
export type { FailedExec } from "./failed-exec.ts";
export type {
  BuildOutcome,
  Capabilities,
  DirEntry,
  FileRange,
  FileTree,
  FrontendRequest,
  FrontendResult,
  Gateway,
  GatewayPlatform,
  ResultRef,
  SourceMeta,
  SourceRequest,
  Warning,
} from "./gateway.ts";
export type { BuildRecord, HistoryQuery } from "./history.ts";
export { joinPolicies, parseSourcePolicy, pinningPolicy, type SourcePolicy } from "./policy.ts";
export type { Process, ProcessExit, ProcessSpec } from "./process.ts";
export type { Attestations, BuildOptions, ExporterSpec } from "./request.ts";
export type { Download } from "./stalls.ts";
export type { StatusUpdate, StatusVertex, VertexLog, VertexProgress, VertexWarning } from "./status.ts";
