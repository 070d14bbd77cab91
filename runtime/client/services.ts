// What a session serves, from plain records: the short way to write SessionServices.
import { resolve } from "node:path";
import type { LocalDir, Receiver, RegistryAuth, SessionServices, SshAgent } from "../session/index.ts";

/** All of it may be left out: what a build then asks for is refused. */
export interface ServiceOptions {
  /** Directories by the names of `local(name)`; relative ones start at the working directory. */
  readonly locals?: Readonly<Record<string, string | LocalDir>>;
  /** Secrets by id, or a function that looks them up. At most 500 KiB each. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | ((id: string) => Promise<Uint8Array | undefined>);
  /** Directories of OCI layouts by the names that `ociLayout` has before the `@`. */
  readonly layouts?: Readonly<Record<string, string>>;
  /** Agents by id, as `openAgents` makes them. */
  readonly ssh?: ReadonlyMap<string, SshAgent>;
  /** `dockerAuth(process.env)` logs in as docker does. */
  readonly auth?: RegistryAuth;
  /** Takes the files of the `local` exporter: `createReceiver`. */
  readonly receiver?: Receiver;
  /** A name for this client's directories: with the same one the daemon only asks for what changed since the last build. */
  readonly sharedKey?: string;
}

export function services(options: ServiceOptions = {}): SessionServices {
  const { locals = {}, secrets = {}, layouts = {}, sharedKey = "", ssh, auth, receiver } = options;
  return {
    sharedKey,
    name: "",
    locals: new Map(Object.entries(locals).map(([name, local]) => [name, toLocal(local)])),
    layouts: new Map(Object.entries(layouts).map(([name, dir]) => [name, resolve(dir)])),
    secrets: typeof secrets === "function" ? secrets : async (id) => toBytes(Object.hasOwn(secrets, id) ? secrets[id] : undefined),
    ...(ssh === undefined ? {} : { ssh }),
    ...(auth === undefined ? {} : { auth }),
    ...(receiver === undefined ? {} : { receiver }),
  };
}

function toLocal(local: string | LocalDir): LocalDir {
  return typeof local === "string" ? { dir: resolve(local) } : local;
}

function toBytes(secret: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
}
