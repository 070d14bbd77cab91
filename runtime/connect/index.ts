// The door of runtime/connect: addresses of daemons, and streams to them.
export { type Address, parseAddress, type TlsOptions } from "./address.ts";
export { dial, dockerAnswers, dockerVersion, type ResolveOptions, resolveAddress } from "./dial.ts";
export { noDaemon, whyLost } from "./failure.ts";
export type { TlsSettings } from "./tls.ts";
