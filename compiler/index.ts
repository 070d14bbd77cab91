// Door of the compiler: a config's Value in, a Job out; and the printers of every stage.
export { withOpMistakes } from "./check.ts";
export { type CompileOptions, compile } from "./compile.ts";
export type { Diagnostic, ExitCode, FailedStep, Position } from "./diagnostic.ts";
export { inputError, orderDiagnostics, UserError } from "./diagnostic.ts";
export { narrow } from "./graph/choose.ts";
export { isWithin } from "./graph/paths.ts";
export {
  dotText,
  type GraphData,
  type GraphFormat,
  mermaidText,
  type NumberedGraph,
  numberGraph,
  printGraph,
  type StepData,
} from "./graph/print.ts";
export type * from "./graph/vertex.ts";
export type * from "./job.ts";
export {
  checkDaemon,
  type Daemon,
  describeDefinition,
  type ExecMount,
  execMounts,
  imageAttrs,
  normalizeReference,
  ociLayoutAttrs,
  originOf,
  printDefinition,
  sourceOf,
  takesUsualGraph,
} from "./llb/index.ts";
export type { ComponentOps, OpData } from "./ops/described.ts";
export { behindHelper } from "./ops/exec-helper.ts";
export { nearest } from "./ops/near.ts";
export { placeInConfig } from "./ops/place.ts";
export { printOps } from "./ops/print.ts";
export type { Program } from "./ops/program.ts";
export type { PublishedPort } from "./ops/published.ts";
export { readOps, type Workflow } from "./ops/read.ts";
export type { LockNeed } from "./ops/spec.ts";
export type * from "./ports.ts";
export type { Attribute, Field, Kind, Missing, Value } from "./value.ts";
export { readWorkloads, type WorkloadWish } from "./workload/read.ts";
export type * from "./workload/workload.ts";
