// Door of connectors: named connections of a workspace. Loaded when a command is about them.
export { type CheckedConnector, type CheckRequest, checkConnectors } from "./check.ts";
export type { Connector } from "./connector.ts";
export * from "./manage.ts";
export { type KeptTokens, keepTokens, type Tokens } from "./tokens.ts";
export { type ConnectorType, type ConnectorTypeSpec, connectorTypes, typeSpecs } from "./types.ts";
