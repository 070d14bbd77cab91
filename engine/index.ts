// Door of the engine: what the command line and embedding programs use.
export type { Diagnostic, ExitCode, Position } from "../compiler/index.ts";
export { inputError, nearest, UserError } from "../compiler/index.ts";
export * from "./daemon.ts";
export { type Check, type DoctorRequest, doctor } from "./doctor.ts";
export type * from "./events.ts";
export { imageStore, type UserImages } from "./images.ts";
export { inspect, type InspectRequest } from "./inspect.ts";
export { up, type UpRequest } from "./up.ts";
export { type Version, version } from "./version.ts";
