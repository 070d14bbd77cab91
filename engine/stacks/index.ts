// Door of stacks: workspaces, environments and settings with them. Loaded when a command is about a stack.
export { overKept } from "../settings/fills.ts";
export type { ConfigInput } from "../settings/inputs.ts";
export { importInputs, type KeptSetting, type NewSetting, readImport, setInputs, unsetInputs } from "../settings/keep.ts";
export { type InputList, type InputState, inputSchema, listInputs } from "../settings/list.ts";
export { type MissingRequest, missingInputs } from "../settings/missing.ts";
export { type ReadyStack, readyStack, type StackRunRequest } from "../settings/run.ts";
export { formatSetting, formatSettings, type Setting, type SettingKind, showSetting } from "../settings/setting.ts";
export { type Initialized, type InitRequest, initWorkspace, listTemplates, type Template } from "../workspace/init.ts";
export type { StackWish } from "./choice.ts";
export { type Cloned, type CloneRequest, cloneWorkspace } from "./clone.ts";
export type { Dependency } from "./dependencies.ts";
export * from "./manage.ts";
export type { SourceWish } from "./source.ts";
export { type ConfigSource, showSource, sourceData } from "./stack.ts";
export { type EnvironmentState, type Freshness, listDependents, listStates } from "./states.ts";
