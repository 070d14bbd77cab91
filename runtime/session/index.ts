// The door of runtime/session: what the daemon may ask for while a job runs.
export { dockerAuth } from "./auth.ts";
export { readClientId, scopedId } from "./client-id.ts";
export { createReceiver, type Receiver, type ReceiverOptions } from "./receive.ts";
export { type Dialer, newId, Session } from "./server.ts";
export type { Credentials, LocalDir, RegistryAuth, SessionServices } from "./services.ts";
export type { DirTarget, SavedDir } from "./staging.ts";
