// What the engine is asked for: one run of a job, or a shell in one of its components; and the surroundings that every request brings along.
import type { Fill, Source } from "../runtime/cue/index.ts";
import type { RegistryWait } from "../runtime/modules/index.ts";
import type { ConnectOptions } from "../runtime/solve/index.ts";
import type { UpEvent } from "./events.ts";
import type { TypedInput } from "./inputs/typed-inputs.ts";
import type { LockFile } from "./lock/lock-file.ts";
import type { SecretCall } from "./secrets/provider.ts";
import type { Setting } from "./settings/setting.ts";
import type { ShellWish } from "./shell/shell.ts";
import type { StoreLocation } from "./store/index.ts";

/**
 * On whose behalf the engine works. It never looks at the environment or the directory of its own process, so that a server can work for
 * several users at once. The two fields are part of every request that needs them.
 */
export interface Surroundings {
  /**
   * Variables that say where the user's things are (HOME, DAGGER_CACHE_DIR, XDG_…), which daemon to use (BUILDKIT_HOST, DOCKER_…), and
   * what `env:NAME` secrets are. Programs that are started on the way (ssh, docker-credential-…) get these variables, too.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute directory where relative paths of a request start; config files in messages are named relative to it. */
  readonly cwd: string;
  /** Told when a registry of modules is busy and is asked again in a while; a run tells it as a warning among its events. */
  readonly onWait?: (wait: RegistryWait) => void;
  /** Where runs are remembered; without it in the workspace around the config, and nowhere when there is none. */
  readonly store?: StoreChoice;
}

/** A store that is not the workspace's own. */
export interface StoreChoice {
  readonly location: StoreLocation;
  /** On whose behalf rows are kept; "" without. */
  readonly tenant?: string;
}

/** A run that is done again: what it was made from takes the place of files, inputs and settings of now. */
export interface Repeat {
  /** Id of that run. */
  readonly run: string;
  readonly source: Source;
  readonly fills: readonly Fill[];
  /** Absolute directories outside of the workspace that it might upload. */
  readonly granted: readonly string[];
  /** As they were typed: for the record. */
  readonly inputs: readonly string[];
  readonly tags: readonly string[];
  /** What names stood for, as far as that was recorded. */
  readonly lock: LockFile;
}

/** Which config, and how it is read. */
export interface ReadRequest extends Surroundings {
  /** Directory (or one CUE file) of the config. */
  readonly dir: string;
  /** `path=value` texts. */
  readonly inputs: readonly string[];
  /** Tags of the config: NAME for `@if`, NAME=VALUE for `@tag`. */
  readonly tags?: readonly string[];
  /** Lets `@tag(var=NAME)` learn of this machine. */
  readonly injectVars?: boolean;
  /** Modules come from the cache and from what is vendored only. DAGGER_OFFLINE says the same. */
  readonly offline?: boolean;
  /** The environment of a stack whose config this is: what it sets is filled in, where `inputs` do not say otherwise. */
  readonly stack?: StackRun;
  readonly repeat?: Repeat;
}

/** What an environment of a stack adds to a config. */
export interface StackRun {
  /** Slugs. */
  readonly stack: string;
  readonly environment: string;
  /** Absolute directory of the workspace: relative paths of settings start here. */
  readonly root: string;
  /** The config lies in a cache: what it saves goes below `root`, as if it lay there. */
  readonly cached: boolean;
  /** By CUE path. */
  readonly settings: ReadonlyMap<string, Setting>;
}

/** What made a run begin. */
export interface RunTrigger {
  readonly kind: "watch" | "schedule";
  /** What has changed, or whose time has come, as people read it; at most a few changes. */
  readonly changed: readonly string[];
  /** How many more have. */
  readonly more: number;
}

/** How a run is done, in the words of the command line's flags; an embedding program has the same choices. Nothing is chosen by default. */
export interface RunChoices {
  /** The user agreed that programs run on this machine: those that secrets come from (`cmd:`), and the host steps of the job. */
  readonly allowHost?: boolean;
  /** Agents and keys for steps: `default`, `ID=SOCKET`, `ID=KEY`. */
  readonly ssh?: readonly string[];
  /** Cache from elsewhere: `type=registry,ref=…` and so on, as buildctl takes it. */
  readonly cacheFrom?: readonly string[];
  readonly cacheTo?: readonly string[];
  /** What images are to say of their own making: `type=provenance,mode=max` and so on, as buildx takes it. */
  readonly attest?: readonly string[];
  /** Everything that is taken by a name must be in dagger.lock. */
  readonly locked?: boolean;
  /** File (JSON) with rules about sources. */
  readonly sourcePolicy?: string;
  /** File that `plan` wrote: what the run is about comes from there, and it is refused when anything is not as it was. */
  readonly plan?: string;
  /** The daemon keeps a record of the run in its own history, which costs it some 10 ms; never of a run with secrets. See docs/history.md. */
  readonly daemonHistory?: boolean;
  /** A component that fails stops none that does not need it; what the others gave comes back before the run ends with all failures. */
  readonly keepGoing?: boolean;
  /** How many processes of the job run on this machine at the same time; without it as many as it has processors. */
  readonly jobs?: number;
  /**
   * Only the components that are tests run, each whatever becomes of the others, and the result has what their reports say. Their reports come
   * into directories below this one (absolute, there already).
   */
  readonly reports?: string;
  /** Cancels the run that the environment of its stack is busy with, and those that wait for it, instead of waiting for them. */
  readonly supersede?: boolean;
}

export interface UpRequest extends ReadRequest, RunChoices {
  /** CUE paths of the components to compute; empty means all. */
  readonly targets: readonly string[];
  /** Inputs whose flag says what they are: texts, directories, repositories, documents. */
  readonly typedInputs?: readonly TypedInput[];
  /** What misses a value is left undone with a warning, as the first public dialect has it; without it that is an error. */
  readonly gradual?: boolean;
  /** `ID=env:NAME`, `ID=file:PATH`, `ID=age:NAME`, `ID=vault:PATH#FIELD`, `ID=connector:NAME.SECRET` or `ID=cmd:COMMAND` texts. */
  readonly secrets?: readonly string[];
  /** What `call:NAME` secrets are, by NAME: functions of the program that the engine is part of. */
  readonly secretCalls?: ReadonlyMap<string, SecretCall>;
  /** Address of the daemon; without it BUILDKIT_HOST, a standard socket or the embedded daemon is used. */
  readonly buildkit?: string;
  /** Certificates for a daemon at `tcp://`, beside what the environment names. */
  readonly tls?: ConnectOptions["tls"];
  readonly noCache: boolean;
  /** Tells what the run makes from what every other run made; without it a name is made up. */
  readonly name?: string;
  /** Of several runs with the same key only the first one runs; the others end with `run-exists`. Only where runs are remembered. */
  readonly idempotencyKey?: string;
  /** Why it runs, where nobody asked for it: for the record. */
  readonly trigger?: RunTrigger;
  /**
   * Values that components gave before which are none of the targets, by CUE path: filled in beside those that the run computes, so that
   * what CUE makes of all of them is there.
   */
  readonly known?: Readonly<Record<string, unknown>>;
  /** Told the id of the run when its row is durable, before it waits for its turn; not `created`: the run with that key was there already. */
  readonly onRecorded?: (run: string, created: boolean) => void;
  /** Waits for a place among the runs that work at once. Without it, all do. */
  readonly admission?: Admission;
  /** Opens a shell where an exec failed, before the run ends with that failure. */
  readonly shellOnError?: ShellWish;
  /** Aborting cancels the job on the daemon too; `up` then rejects with exit code 130. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: UpEvent) => void;
}

/** How many runs of a program work at a time. */
export interface Admission {
  /** Resolves when there is a place, with what gives it back; rejects when the signal aborts. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export interface ShellRequest extends UpRequest, ShellWish {
  /** CUE path; "" for a config that is one component. */
  readonly component: string;
}
