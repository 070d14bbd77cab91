// Context: what every command gets besides its own flags.
import type { ConflictPolicy, RunChoices, Surroundings, TlsSettings } from "../engine/index.ts";
import { type Io, wantsColour } from "./io.ts";
import { createStyle } from "./output/style.ts";

export interface Context {
  readonly io: Io;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** The command line, without node and script. */
  readonly argv?: readonly string[];
  /** What follows `--` on the command line of a command that runs a program. */
  readonly rest?: readonly string[];
  /** Set by a command whose exit code is that of a program it ran. */
  exitCode?: number;
}

/** The engine's view of the process. */
export function surroundings({ io }: Context): Surroundings {
  // The engine, which calls this, is loaded by then.
  const tell = async (wait: Parameters<NonNullable<Surroundings["onWait"]>>[0]): Promise<void> => {
    const [{ waitWarning }, { formatWarning }] = await Promise.all([import("../engine/index.ts"), import("./output/errors.ts")]);
    io.stderr.write(formatWarning(waitWarning(wait), createStyle(wantsColour(io.stderr, io.env))));
  };
  const url = io.env["DAGGER_STORE"] ?? "";
  return { env: io.env, cwd: io.cwd, onWait: (wait) => void tell(wait), ...(url === "" ? {} : { store: { location: { url } } }) };
}

/** Flags of the commands that may talk to a daemon: which one, and the certificates for it. */
export interface DaemonFlags {
  readonly buildkit?: string;
  readonly tlsdir?: string;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly tlsservername?: string;
}

/** These flags as the engine takes them. */
export function daemonOf(flags: DaemonFlags): { readonly buildkit?: string; readonly tls: TlsSettings } {
  const { buildkit, tlsdir: dir, tlscacert: ca, tlscert: cert, tlskey: key, tlsservername: serverName } = flags;
  return { ...(buildkit === undefined ? {} : { buildkit }), tls: { dir, ca, cert, key, serverName } };
}

/** Flags that say how a config is read. */
export interface ReadingFlags {
  /** Slug or name. */
  readonly stack?: string;
  readonly env?: string;
  readonly input?: readonly string[];
  readonly inject?: readonly string[];
  readonly injectVars?: boolean;
  readonly offline?: boolean;
}

/** Flags of the commands that read a config, and may talk to a daemon about it. */
export interface ConfigFlags extends DaemonFlags, ReadingFlags {
  readonly target?: readonly string[];
}

/** How these flags say a config is to be read, as the engine takes it. */
export function readingOf({ input = [], inject = [], injectVars = false, offline }: ReadingFlags): {
  readonly inputs: readonly string[];
  readonly tags: readonly string[];
  readonly injectVars: boolean;
  readonly offline?: boolean;
} {
  return { inputs: input, tags: inject, injectVars, ...(offline === undefined ? {} : { offline }) };
}

export interface RunFlags extends ConfigFlags, RunChoices {
  readonly secret?: readonly string[];
  readonly progress?: string;
  readonly withDependencies?: boolean;
  readonly shellOnError?: boolean;
  readonly shell?: string;
  /** False with --no-cache. */
  readonly cache: boolean;
}

/** Flags of `compute`: inputs by their kind. */
export interface ComputeFlags extends RunFlags {
  readonly inputString?: readonly string[];
  readonly inputDir?: readonly string[];
  readonly inputFile?: readonly string[];
  readonly inputGit?: readonly string[];
  readonly inputJson?: readonly string[];
  readonly inputYaml?: readonly string[];
  readonly strict?: boolean;
}

export type OutputFormat = "text" | "json" | "yaml";

/** Flags of `watch`; times are milliseconds. */
export interface WatchFlags extends ComputeFlags {
  readonly output: OutputFormat;
  readonly debounce?: number;
  readonly debounceLimit?: number;
  readonly poll?: number;
  /** Only what the workspace follows, or nothing of it. */
  readonly sources?: boolean;
  readonly workers?: boolean;
  readonly onConflict?: ConflictPolicy;
  /** False with --no-supersede. */
  readonly supersede: boolean;
  readonly test?: boolean;
}
