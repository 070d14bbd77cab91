// Door of the engine: what the command line and embedding programs use.
export type { Diagnostic, ExitCode, Position } from "../compiler/index.ts";
export { UserError } from "../compiler/index.ts";
export type { TlsSettings } from "../runtime/connect/index.ts";
export * from "./daemon.ts";
export { type Check, type DoctorRequest, doctor } from "./doctor.ts";
export { type EvalRequest, evaluate } from "./eval.ts";
export type * from "./events.ts";
export { type FormatRequest, type FormattedFile, formatFiles, formatText } from "./format.ts";
export { imageStore, type UserImages } from "./images.ts";
export { type InspectRequest, inspect } from "./inspect.ts";
export { getModules, initModule, type ModuleRequest, vendorModules } from "./modules.ts";
export type { ShellRequest, Surroundings, UpRequest } from "./request.ts";
export type { ShellTerminal, ShellWish } from "./shell.ts";
export type { TypedInput } from "./typed-inputs.ts";
export { shell, up } from "./up.ts";
export { type DaemonRequest, diskUsage, listWorkers, prune } from "./upkeep.ts";
export type { Version } from "./version.ts";
export { type VetRequest, type Vetted, vet } from "./vet.ts";
