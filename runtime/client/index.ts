// `cuellb/client`: a BuildKit client. Connects to a daemon, opens a session, solves Definitions, takes results. See docs/llb-library.md.
export type { Diagnostic, ExitCode, Position } from "../../compiler/diagnostic.ts";
export { UserError } from "../../compiler/diagnostic.ts";
export * from "../session/index.ts";
export * from "../solve/index.ts";
export { type ServiceOptions, services } from "./services.ts";
