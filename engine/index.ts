// Door of the engine: what the command line and embedding programs use. `up` and `shell` come with it; all else is loaded when it is called, so
// that a run starts without the parts that it does not use.
export type { Diagnostic, ExitCode, Hook, Position, Waiting } from "../compiler/index.ts";
export { UserError } from "../compiler/index.ts";
export type { TlsSettings } from "../runtime/connect/index.ts";
export type { DocField } from "../runtime/cue/index.ts";
export type { BackgroundStatus } from "./background/index.ts";
export type { DocumentRequest, PackageDoc } from "./catalog/doc.ts";
export type {
  Added,
  AddRequest,
  CatalogPage,
  CatalogRequest,
  DescribedDefinition,
  Found,
  FoundPackage,
  SearchedRegistry,
  ShownModule,
} from "./catalog/index.ts";
export type { EvalRequest } from "./config/eval.ts";
export type { FormatRequest, FormattedFile } from "./config/format.ts";
export type { InspectRequest } from "./config/inspect.ts";
export type { VetRequest, Vetted } from "./config/vet.ts";
export type {
  CheckedConnector,
  CheckRequest,
  Connector,
  ConnectorChange,
  ConnectorType,
  KeptTokens,
  NewConnector,
  Tokens,
} from "./connectors/index.ts";
export * from "./daemon/daemon.ts";
export type { Check, DoctorRequest } from "./daemon/doctor.ts";
export type { DaemonRequest } from "./daemon/upkeep.ts";
export type * from "./events.ts";
export type { FollowEvent } from "./following/index.ts";
export type { AgainRequest, HistoryRequest, HistoryWish, LogLine, RunDiff, ShownRun } from "./history/index.ts";
export { imageStore, type UserImages } from "./images.ts";
export type { TypedInput } from "./inputs/typed-inputs.ts";
export type { LockEntry, LockRequest, LockState } from "./lock/lock.ts";
export type { ModuleRequest } from "./modules/modules.ts";
export { waitWarning } from "./modules/registry-wait.ts";
export type { Computed, NetworkFormat, NewNode, Node, NodeComputation, NodeRequest, Updated } from "./nodes/index.ts";
export type { Effect, Plan, PlannedComponent, PlannedState, PlanRequest } from "./plan/index.ts";
export type { Change, ComponentChanges, Why, WhyRequest } from "./provenance/index.ts";
export type { Push, PushState, Resolution, Settled } from "./pushing/index.ts";
export type { RunChoices, ShellRequest, Surroundings, UpRequest } from "./request.ts";
export type { SecretScope } from "./secrets/provider.ts";
export type { ServiceState, ServiceStatus, ServicesRequest } from "./services/index.ts";
export type { ShellTerminal, ShellWish } from "./shell/shell.ts";
export type {
  AddedSource,
  ConflictPolicy,
  Link,
  ListedSource,
  NewSource,
  Refreshed,
  Source,
  SourceRequest,
  SourceSettings,
  SourceVersion,
} from "./sources/index.ts";
export type {
  ConfigInput,
  ConfigSource,
  Dependency,
  EnvironmentEntry,
  EnvironmentState,
  Freshness,
  Initialized,
  InitRequest,
  InputList,
  InputState,
  KeptSetting,
  MissingRequest,
  NewSetting,
  ReadyStack,
  Setting,
  SettingKind,
  SourceWish,
  StackEntry,
  StackRequest,
  StackRunRequest,
  StackWish,
  Template,
} from "./stacks/index.ts";
export type { RunStagesRequest, StageOutcome, StageState, StagesRequest, StagesResult } from "./stages/index.ts";
export type { Output, Run as RecordedRun, RunComponent } from "./store/index.ts";
export type { RenderedTarget, RenderRequest, TargetList, TargetsRequest } from "./targets/index.ts";
export type { TestCase, TestReport, TestRun, TestSuite, testRun } from "./testing/index.ts";
export { shell, up } from "./up.ts";
export type { Version } from "./version.ts";
export type { WatchEvent, WatchRequest } from "./watching/index.ts";
export type { Job, JobState, WorkEvent } from "./work/index.ts";
export { findWorkspace, type Workspace } from "./workspace/find.ts";

type Background = typeof import("./background/index.ts");
type Catalog = typeof import("./catalog/index.ts");
type Connectors = typeof import("./connectors/index.ts");
type Doc = typeof import("./catalog/doc.ts");
type Doctor = typeof import("./daemon/doctor.ts");
type Eval = typeof import("./config/eval.ts");
type Format = typeof import("./config/format.ts");
type History = typeof import("./history/index.ts");
type Inspect = typeof import("./config/inspect.ts");
type Lock = typeof import("./lock/lock.ts");
type Manifests = typeof import("./manifest/index.ts");
type Modules = typeof import("./modules/modules.ts");
type Nodes = typeof import("./nodes/index.ts");
type Planning = typeof import("./plan/index.ts");
type Provenance = typeof import("./provenance/index.ts");
type Pushing = typeof import("./pushing/index.ts");
type Secrets = typeof import("./secrets/index.ts");
type Sources = typeof import("./sources/index.ts");
type Services = typeof import("./services/index.ts");
type Stacks = typeof import("./stacks/index.ts");
type Stages = typeof import("./stages/index.ts");
type Targets = typeof import("./targets/index.ts");
type Testing = typeof import("./testing/index.ts");
type WithDependencies = typeof import("./with-dependencies.ts");
type Watching = typeof import("./watching/index.ts");
type Work = typeof import("./work/index.ts");
type Upkeep = typeof import("./daemon/upkeep.ts");
type Vet = typeof import("./config/vet.ts");

/** Watches in the background: see background/control.ts. */
export const loadBackground = async (): Promise<Background> => import("./background/index.ts");
export const addPackage: Catalog["addPackage"] = async (...of) => (await import("./catalog/index.ts")).addPackage(...of);
export const searchCatalog: Catalog["searchCatalog"] = async (...of) => (await import("./catalog/index.ts")).searchCatalog(...of);
export const showPackage: Catalog["showPackage"] = async (...of) => (await import("./catalog/index.ts")).showPackage(...of);
export const documentPackage: Doc["documentPackage"] = async (...of) => (await import("./catalog/doc.ts")).documentPackage(...of);
export const doctor: Doctor["doctor"] = async (...of) => (await import("./daemon/doctor.ts")).doctor(...of);
export const evaluate: Eval["evaluate"] = async (...of) => (await import("./config/eval.ts")).evaluate(...of);
export const formatFiles: Format["formatFiles"] = async (...of) => (await import("./config/format.ts")).formatFiles(...of);
export const formatText: Format["formatText"] = async (...of) => (await import("./config/format.ts")).formatText(...of);
export const inspect: Inspect["inspect"] = async (...of) => (await import("./config/inspect.ts")).inspect(...of);
export const checkLock: Lock["checkLock"] = async (...of) => (await import("./lock/lock.ts")).checkLock(...of);
export const updateLock: Lock["updateLock"] = async (...of) => (await import("./lock/lock.ts")).updateLock(...of);
export const initModule: Modules["initModule"] = async (...of) => (await import("./modules/modules.ts")).initModule(...of);
export const getModules: Modules["getModules"] = async (...of) => (await import("./modules/modules.ts")).getModules(...of);
export const vendorModules: Modules["vendorModules"] = async (...of) => (await import("./modules/modules.ts")).vendorModules(...of);
export const plan: Planning["plan"] = async (...of) => (await import("./plan/index.ts")).plan(...of);
/** What is remembered of runs, and what they gave last. */
export const loadHistory = async (): Promise<History> => import("./history/index.ts");
/** Workspaces, stacks, environments and settings: all that is done with them. */
export const loadStacks = async (): Promise<Stacks> => import("./stacks/index.ts");
/** Libraries of stages: all that is done with them. */
export const loadStages = async (): Promise<Stages> => import("./stages/index.ts");
/** The secrets that environments keep: all that is done with them. */
export const loadSecrets = async (): Promise<Secrets> => import("./secrets/index.ts");
/** Processes of a workspace that go on after runs: all that is done with them. */
export const loadServices = async (): Promise<Services> => import("./services/index.ts");
/** Connections of a workspace: all that is done with them. */
export const loadConnectors = async (): Promise<Connectors> => import("./connectors/index.ts");
/** What nodes give to repositories, on its way to their remotes. */
export const loadPushing = async (): Promise<Pushing> => import("./pushing/index.ts");
/** Places that have data, and the versions that they had: all that is done with them. */
export const loadSources = async (): Promise<Sources> => import("./sources/index.ts");
/** Commands that take sources and give sources: all that is done with them. */
export const loadNodes = async (): Promise<Nodes> => import("./nodes/index.ts");
/** What versions of sources were made from. */
export const loadManifest = async (): Promise<Manifests> => import("./manifest/index.ts");
/** The graph of a config in the words of other systems: see targets/. */
export const loadTargets = async (): Promise<Targets> => import("./targets/index.ts");
/** Runs tests, and reads and writes their reports: see testing/run.ts. */
export const loadTesting = async (): Promise<Testing> => import("./testing/index.ts");
export const listWorkers: Upkeep["listWorkers"] = async (...of) => (await import("./daemon/upkeep.ts")).listWorkers(...of);
export const diskUsage: Upkeep["diskUsage"] = async (...of) => (await import("./daemon/upkeep.ts")).diskUsage(...of);
export const prune: Upkeep["prune"] = async (...of) => (await import("./daemon/upkeep.ts")).prune(...of);
/** As `up`, after what the environment needs: see with-dependencies.ts. */
export const upWithDependencies: WithDependencies["upWithDependencies"] = async (...of) =>
  (await import("./with-dependencies.ts")).upWithDependencies(...of);
/** Runs a job whenever something that it depends on has changed: see watching/watch.ts. */
export const loadWatching = async (): Promise<Watching> => import("./watching/index.ts");
/** The queue of jobs, and workers that do them: see work/. */
export const loadWork = async (): Promise<Work> => import("./work/index.ts");
export const why: Provenance["why"] = async (...of) => (await import("./provenance/index.ts")).why(...of);
export const vet: Vet["vet"] = async (...of) => (await import("./config/vet.ts")).vet(...of);
