// The door of runtime/cue: reading CUE files and evaluating them.
export { lookAgain, type Observation } from "./disk.ts";
export { createEvaluator, type Evaluation, type Evaluator, type Fill, WrongValues } from "./evaluate.ts";
export { displayName } from "./files.ts";
export type { FoundPackage, Module, ModuleImport, ModuleResolver, Source } from "./layout.ts";
export { findModuleAt } from "./module.ts";
export { openCache } from "./open-cache.ts";
export { type PackageFiles, readPackageFiles } from "./package-files.ts";
export { snapshotOf } from "./program.ts";
export type { DocField, Show } from "./protocol.ts";
export { readSource } from "./source.ts";
