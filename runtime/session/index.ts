// The door of runtime/session: what the daemon may ask for while a job runs.
export { type ArchiveReceiver, createArchiveReceiver, type SavedArchive } from "./archive.ts";
export { dockerAuth, withLogins } from "./auth.ts";
export { readClientId, scopedId } from "./client-id.ts";
export { listFiles } from "./listing.ts";
export { type Descriptor, type IndexName, OciStore } from "./oci-store.ts";
export { Matcher } from "./patterns.ts";
export { createReceiver, type Receiver, type ReceiverOptions } from "./receive.ts";
export { maxSecretSize, type RefusedSecrets } from "./secrets.ts";
export { type Dialer, type Incoming, newId, Session, type SessionOutputs } from "./server.ts";
export type { Credentials, Listing, LocalDir, RegistryAuth, SessionServices, SshAgent } from "./services.ts";
export { type OpenAgents, openAgents, type SshSource } from "./ssh-keys.ts";
export type { DirTarget, SavedDir } from "./staging.ts";
export { fetchToken } from "./token.ts";
export { type Entry, walk } from "./walk.ts";
