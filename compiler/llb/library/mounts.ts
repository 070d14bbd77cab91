// Mounts of a command beside its root filesystem.
import type { Filesystem } from "./filesystem.ts";

/** A mount, as `bind`, `cache`, `tmpfs`, `secret` and `ssh` make it. */
export type MountSpec = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

export interface BindMount {
  readonly kind: "bind";
  readonly dest: string;
  readonly from: Filesystem;
  readonly options: BindOptions;
}
export interface BindOptions {
  /** Its files cannot be changed, and what follows goes on from the files as they were. */
  readonly readonly?: boolean;
  /** Mounts only what lies below this path of the filesystem. */
  readonly selector?: string;
  /** false: what is written to it is thrown away. */
  readonly output?: boolean;
  /** Whether the content, not only the definition, may give a cache hit; undefined leaves it to the daemon. */
  readonly contentCache?: "on" | "off";
}

export interface CacheMount {
  readonly kind: "cache";
  readonly dest: string;
  readonly id: string;
  readonly options: CacheOptions;
}
export interface CacheOptions extends Omit<BindOptions, "output"> {
  /** What may happen when two commands want it at once: share it, get one each, or wait. */
  readonly sharing?: "shared" | "private" | "locked";
  /** What it holds when it is new. */
  readonly from?: Filesystem;
}

export interface TmpfsMount {
  readonly kind: "tmpfs";
  readonly dest: string;
  /** Bytes; 0 is no limit. */
  readonly size: number;
}

export interface SessionOptions {
  /** Who owns the file. */
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits. */
  readonly mode?: number;
  /** Run without it when the client has none. */
  readonly optional?: boolean;
}
export interface SecretMount {
  readonly kind: "secret";
  readonly dest: string;
  readonly id: string;
  readonly options: SessionOptions;
}
export interface SshMount {
  readonly kind: "ssh";
  readonly id: string;
  readonly options: SshOptions;
}
export interface SshOptions extends SessionOptions {
  /** Path of the socket; `/run/buildkit/ssh_agent.N` when not given. */
  readonly dest?: string;
}

/** Files of a state at `dest`. Unless it is read-only or thrown away, `ExecState.mount(dest)` is what the command leaves there. */
export function bind(dest: string, from: Filesystem, options: BindOptions = {}): BindMount {
  return { kind: "bind", dest, from, options };
}

/** A directory that outlives the build: the next command with the same `id` finds what this one left. */
export function cache(dest: string, id: string, options: CacheOptions = {}): CacheMount {
  return { kind: "cache", dest, id, options };
}

/** An empty directory in memory. */
export function tmpfs(dest: string, options: { readonly size?: number } = {}): TmpfsMount {
  return { kind: "tmpfs", dest, size: options.size ?? 0 };
}

/** A file with the secret `id` of the client's session; `id` is `dest` when not given. Mode 0400 unless said. */
export function secret(dest: string, options: SessionOptions & { readonly id?: string } = {}): SecretMount {
  const { id = dest, ...rest } = options;
  return { kind: "secret", dest, id, options: rest };
}

/** The socket of an SSH agent of the client's session; the first one becomes SSH_AUTH_SOCK. Mode 0600 unless said. */
export function ssh(options: SshOptions & { readonly id?: string } = {}): SshMount {
  const { id = "", ...rest } = options;
  return { kind: "ssh", id, options: rest };
}
