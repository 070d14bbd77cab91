// What a job offers to the daemon while it runs: the types that the engine fills in.
import type { Position } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import type { Receiver } from "./receive.ts";

/** A directory on this machine that the daemon may read as `local://<name>`. */
export interface LocalDir {
  /** Absolute. */
  readonly dir: string;
  /** The lines that ask for it, for messages. */
  readonly at?: readonly Position[];
  /** Told what of it was offered to the daemon, each time that it was. */
  readonly onListed?: (listing: Listing) => void;
}

/** What of a directory the daemon was offered: it asks for the contents of what it does not know. */
export interface Listing {
  /** `local://<name>`, with what the daemon was to see of it. */
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly follow: readonly string[];
  /** Absolute, without symbolic links. */
  readonly root: string;
  /**
   * Four texts for each entry, all of them joined by NUL: path; kind (f, d, l, or o for others) and permissions (octal); what changes when
   * its contents do; the target of a link.
   */
  readonly entries: string;
}

/** A registry login. An identity token is given as `secret` with an empty user name. */
export interface Credentials {
  readonly username: string;
  readonly secret: string;
}

/** Logins by registry host as the daemon asks for it, e.g. `registry-1.docker.io`; undefined for an anonymous one. */
export interface RegistryAuth {
  credentials(host: string): Promise<Credentials | undefined>;
  /** What fetching tokens on this side needs; without it the daemon fetches them, and gets the credentials for it. */
  readonly tokens?: {
    /** Where the proxies are set through which token servers are asked. */
    readonly env: Environment;
    /** Directory of `.token_seed`. */
    readonly seedDir: string;
    /** A bearer token that docker's configuration has for the host. */
    fixed(host: string): Promise<string | undefined>;
  };
}

/** An SSH agent that steps may use: `socket` is the absolute path of the one it listens on. */
export interface SshAgent {
  /** No agent but any socket: everything goes through. */
  readonly raw?: boolean;
  readonly id: string;
  readonly socket: string;
}

/** All that the daemon may ask for during one job. What is not here is refused. */
export interface SessionServices {
  /** Same key, same client: the daemon then only asks for files that changed since the last upload. May be empty. */
  readonly sharedKey: string;
  /** Shown by old daemons only. */
  readonly name: string;
  readonly locals: ReadonlyMap<string, LocalDir>;
  /** Takes the files of the `local` exporter. */
  readonly receiver?: Receiver;
  /** The bytes of a secret; undefined when there is none. At most 500 KiB. */
  secrets(id: string): Promise<Uint8Array | undefined>;
  readonly auth?: RegistryAuth;
  /** By the id that mounts name; `default` when they name none. */
  readonly ssh?: ReadonlyMap<string, SshAgent>;
  /** OCI layout directories (absolute) by the store name in `oci-layout://`. */
  readonly layouts: ReadonlyMap<string, string>;
}
