// Context: what every command gets besides its own flags.
import type { Io } from "./io.ts";

export interface Context {
  readonly io: Io;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Flags of the commands that read a config. */
export interface ConfigFlags {
  readonly target?: readonly string[];
  readonly input?: readonly string[];
  readonly buildkit?: string;
}

export interface RunFlags extends ConfigFlags {
  readonly secret?: readonly string[];
  readonly progress?: string;
  /** False with --no-cache. */
  readonly cache: boolean;
}

export type OutputFormat = "text" | "json" | "yaml";
