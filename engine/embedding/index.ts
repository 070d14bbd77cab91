// What `import … from "cuellb"` gives: the engine for programs that embed it.
export type { Diagnostic, ExitCode, FailedStep, Position } from "../../compiler/index.ts";
export { UserError } from "../../compiler/index.ts";
export type { TlsSettings } from "../../runtime/connect/index.ts";
export type { CheckedConnector, Connector, ConnectorChange, ConnectorType, NewConnector } from "../connectors/index.ts";
export type { Step, UpEvent, UpResult } from "../events.ts";
export type { Effect, Plan, PlannedComponent, PlannedState } from "../plan/index.ts";
export type { SecretCall, SecretValue } from "../secrets/provider.ts";
export type {
  ConfigInput,
  ConfigSource,
  EnvironmentEntry,
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
export type { Vetted } from "../vet.ts";
export type { CheckOptions, ConnectorOptions, Connectors } from "./connectors.ts";
export { createEngine, type Engine, type EngineOptions, type StartedRun } from "./engine.ts";
export type {
  CallOptions,
  ComponentOptions,
  ConfigOptions,
  DaemonOptions,
  EvalOptions,
  InspectOptions,
  JsonValue,
  PlanOptions,
  Secret,
  UpOptions,
  VetOptions,
} from "./requests.ts";
export type { Environments, Inputs, NewStack, StackChange, Stacks } from "./stacks.ts";
