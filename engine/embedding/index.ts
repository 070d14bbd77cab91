// What `import … from "cuellb"` gives: the engine for programs that embed it.
export type { Diagnostic, ExitCode, FailedStep, Position } from "../../compiler/index.ts";
export { UserError } from "../../compiler/index.ts";
export type { TlsSettings } from "../../runtime/connect/index.ts";
export type { PackageDoc } from "../catalog/doc.ts";
export type { Added, CatalogPage, DescribedDefinition, Found, FoundPackage } from "../catalog/index.ts";
export type { Vetted } from "../config/vet.ts";
export type { CheckedConnector, Connector, ConnectorChange, ConnectorType, NewConnector } from "../connectors/index.ts";
export type { DependencyRun, Step, UpEvent, UpResult } from "../events.ts";
export type { RecordedCut, RecordedEvent, RecordedLog, RestoredHistory, RunDiff, ShownRun } from "../history/index.ts";
export type { LockEntry, LockState } from "../lock/lock.ts";
export type { ManifestRecord } from "../manifest/index.ts";
export type { Computed, NewNode, Node, NodeComputation, Updated } from "../nodes/index.ts";
export type { Effect, Plan, PlannedComponent, PlannedState } from "../plan/index.ts";
export type { Push, PushState, Resolution, Settled } from "../pushing/index.ts";
export type { RunTrigger } from "../request.ts";
export type { SecretCall, SecretValue } from "../secrets/provider.ts";
export type {
  AddedSource,
  ConflictPolicy,
  Link,
  ListedSource,
  NewSource,
  Refreshed,
  Source,
  SourceSettings,
  SourceVersion,
} from "../sources/index.ts";
export type {
  ConfigInput,
  ConfigSource,
  Dependency,
  EnvironmentEntry,
  EnvironmentState,
  Freshness,
  Initialized,
  InputList,
  InputState,
  KeptSetting,
  NewSetting,
  Setting,
  SettingKind,
  SourceWish,
  StackEntry,
} from "../stacks/index.ts";
export type {
  Cut,
  FinalJobState,
  FinalState,
  Job,
  JobState,
  Json,
  Output,
  Run,
  RunComponent,
  RunPage,
  RunState,
  StoreLocation,
} from "../store/index.ts";
export type { WatchEvent } from "../watching/index.ts";
export type { WorkEvent } from "../work/index.ts";
export type { Access, Action, Authorize } from "./calls.ts";
export type { CheckOptions, ConnectorOptions, Connectors } from "./connectors.ts";
export type { ComputeOptions, Data, DataOptions, Nodes, Sources } from "./data.ts";
export { createEngine, type Engine, type EngineOptions } from "./engine.ts";
export type { Jobs, NewJobOptions, WorkOptions } from "./jobs.ts";
export type { Catalog, Lock, LockOptions, Modules, Secrets } from "./keeping.ts";
export type {
  AgainOptions,
  CallOptions,
  ComponentOptions,
  ConfigOptions,
  DaemonOptions,
  EvalOptions,
  InspectOptions,
  JsonValue,
  PlanOptions,
  Secret,
  SubmitOptions,
  UpOptions,
  VetOptions,
  WatchOptions,
} from "./requests.ts";
export type { StartedRun, SubmittedRun } from "./running.ts";
export type { OutputOptions, Outputs, ReadOptions, RunQuery, Runs } from "./runs.ts";
export type { Environments, Inputs, NewStack, StackChange, Stacks } from "./stacks.ts";
