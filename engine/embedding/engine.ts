// The engine for embedding programs: createEngine binds what a tenant has (variables, directories, a daemon) to the calls of engine/.
import { isAbsolute, join } from "node:path";
import { type Diagnostic, inputError } from "../../compiler/index.ts";
import type { Vetted } from "../config/vet.ts";
import type { UpResult } from "../events.ts";
import type { Plan } from "../plan/index.ts";
import type { Surroundings } from "../request.ts";
import type { StoreLocation } from "../store/index.ts";
import type { WatchEvent } from "../watching/index.ts";
import { Places } from "./admission.ts";
import { type Authorize, Calls } from "./calls.ts";
import { Configs } from "./configs.ts";
import { type Connectors, connectorsOf } from "./connectors.ts";
import { type Data, dataOf } from "./data.ts";
import { type Jobs, jobsOf } from "./jobs.ts";
import { type Catalog, catalogOf, type Lock, lockOf, type Modules, modulesOf, type Secrets, secretsOf } from "./keeping.ts";
import type {
  DaemonOptions,
  EvalOptions,
  InspectOptions,
  PlanOptions,
  SubmitOptions,
  UpOptions,
  VetOptions,
  WatchOptions,
} from "./requests.ts";
import { type StartedRun, type SubmittedRun, started, submitted } from "./running.ts";
import { type Outputs, outputsOf, type Runs, runsOf } from "./runs.ts";
import { type Stacks, stacksOf } from "./stacks.ts";

/** On whose behalf an engine works. It never looks at the environment, the directory or the streams of its process. */
export interface EngineOptions extends DaemonOptions {
  /**
   * Variables: which daemon to use (`BUILDKIT_HOST`), logins and proxies, `env:NAME` secrets. Programs that are started on the way (ssh,
   * credential helpers) get these and no others. `process.env` is as good a value as any other.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute directory where relative paths start, and around which the workspace is looked for. */
  readonly cwd: string;
  /**
   * Absolute directory for all that the engine keeps on this machine: caches, modules, images, its own daemon. Without it they are where
   * `env` says (HOME, XDG_CACHE_HOME, …). Give each tenant its own.
   */
  readonly dataDir?: string;
  /**
   * Where runs are remembered: a SQLite file, or a PostgreSQL that many machines share, with what environments gave last and who may run next.
   * Without it, in the workspace around each config.
   */
  readonly store?: StoreLocation;
  /** On whose behalf rows of `store` are kept: tenants do not see each other's. "" without it. */
  readonly tenant?: string;
  /**
   * How many runs work at once, 16 without it. The others wait in the order in which they came, after those of their environment: recorded, but
   * without memory or a connection to the daemon.
   */
  readonly runsAtOnce?: number;
  /** Asked before every call. A call that it does not allow rejects with `not-authorized`, and nothing of it happens. */
  readonly authorize?: Authorize;
}

/**
 * Calls may go on at once, as many as there are. All reject with UserError, whose `exit` says who has to act: 1 the job failed, 2 the
 * input is wrong, 3 the environment is, 130 the call was ended. Anything else that is thrown is a bug.
 */
export interface Engine {
  /** Runs a config: computes its values, saves its directories, pushes its images. */
  up(options?: UpOptions): Promise<UpResult>;
  /** As `up`, for programs that read events in a loop. */
  start(options?: Omit<UpOptions, "onEvent">): StartedRun;
  /**
   * Starts a run that is recorded: resolves with its id when its row is durable, before anything runs. Events, logs, the end and cancelling
   * go by that id (`runs`), in this process and in any other that has the store. Rejects with `no-workspace` where nothing records runs.
   */
  submit(options?: SubmitOptions): Promise<SubmittedRun>;
  readonly runs: Runs;
  readonly outputs: Outputs;
  /** Runs that are left to workers, in this process or on other machines that share the store. */
  readonly jobs: Jobs;
  /**
   * Runs a config, and again what a change concerns, whenever something that it depends on has changed: for one reader, who ends it by leaving
   * the loop. The loop rejects with UserError: 130 when the signal aborts, after the run that goes on was cancelled on the daemon; 2 or 3 when the
   * first run comes to nothing that could be watched. Runs that fail later are told, and it goes on.
   */
  watch(options?: WatchOptions): AsyncIterableIterator<WatchEvent, undefined>;
  /** What a run would do. Nothing is executed; a daemon is asked only about images and Dockerfiles that nobody here knows. */
  plan(options?: PlanOptions): Promise<Plan>;
  /** A stage of the compilation: bytes of a pb.Definition for `raw`, text for all others. */
  inspect(options: InspectOptions & { readonly format: "raw" }): Promise<Uint8Array>;
  inspect(options: InspectOptions & { readonly format?: Exclude<InspectOptions["format"], "raw"> }): Promise<string>;
  /** Checks a config as far as that goes without a daemon. Gives its components. */
  vet(options?: VetOptions): Promise<Vetted>;
  /** What a config, or an expression in it, evaluates to: text that ends with a newline. */
  eval(options?: EvalOptions): Promise<string>;
  readonly stacks: Stacks;
  readonly connectors: Connectors;
  /** Places that have data in versions, and commands between them. */
  readonly data: Data;
  readonly secrets: Secrets;
  readonly lock: Lock;
  readonly modules: Modules;
  readonly catalog: Catalog;
  /** Ends all calls (they reject with exit 130) and waits until they have. Later calls reject with `engine-closed`. A daemon goes on. */
  close(): Promise<void>;
}

/** Makes an engine. Nothing is read or started before a call needs it. Rejects with UserError (2) `bad-engine` for wrong options. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const surroundings = surroundingsOf(options);
  const calls = new Calls(options.authorize);
  const admission = new Places(placesOf(options));
  const configs = new Configs(surroundings, calls, options, admission);
  const runs = runsOf(surroundings, calls, { ...daemonOf(options), admission });
  return {
    up: (of = {}) => configs.up(of, of.onEvent),
    start: (of = {}) => started(of, (wish, tell) => configs.up(wish, tell)),
    submit: (of = {}) =>
      submitted(
        of,
        (wish, more) => configs.up(wish, wish.onEvent, more),
        (run) => runs.cancel(run),
      ),
    runs,
    outputs: outputsOf(surroundings, calls),
    jobs: jobsOf(surroundings, calls, daemonOf(options)),
    watch: (of = {}) => configs.watch(of),
    plan: (of = {}) => configs.plan(of),
    // Which of the two it is, the format says.
    inspect: ((of: InspectOptions) => configs.inspect(of)) as Engine["inspect"],
    vet: (of = {}) => configs.vet(of),
    eval: (of = {}) => configs.eval(of),
    stacks: stacksOf(surroundings, calls),
    connectors: connectorsOf(surroundings, calls),
    data: dataOf(surroundings, calls, daemonOf(options)),
    secrets: secretsOf(surroundings, calls),
    lock: lockOf(calls, (of, signal) => configs.lock(of, signal)),
    modules: modulesOf(surroundings, calls),
    catalog: catalogOf(surroundings, calls),
    close: () => calls.close(),
  };
}

/** Variables and directory of an engine; what it keeps goes below its data directory. */
function surroundingsOf({ env, cwd, dataDir, store, tenant }: EngineOptions): Surroundings {
  if (tenant !== undefined && store === undefined) {
    throw bad("An engine has a tenant and no store", "Give createEngine a store, or leave the tenant out");
  }
  const chosen = store === undefined ? {} : { store: { location: store, ...(tenant === undefined ? {} : { tenant }) } };
  if (!isAbsolute(cwd)) throw bad(`The directory of an engine is not absolute: cwd is ${JSON.stringify(cwd)}`);
  if (dataDir === undefined) return { env: { ...env }, cwd, ...chosen };
  if (!isAbsolute(dataDir)) throw bad(`The data directory of an engine is not absolute: dataDir is ${JSON.stringify(dataDir)}`);
  const own = {
    DAGGER_CACHE_DIR: join(dataDir, "cache"),
    DAGGER_DATA_DIR: join(dataDir, "data"),
    CUE_CACHE_DIR: join(dataDir, "modules"),
  };
  // Without one, logins would come from the home of whoever runs the process.
  return { env: { ...env, HOME: env["HOME"] ?? dataDir, ...own }, cwd, ...chosen };
}

function placesOf({ runsAtOnce = 16 }: EngineOptions): number {
  if (Number.isInteger(runsAtOnce) && runsAtOnce > 0) return runsAtOnce;
  throw bad(`No run could work in an engine with runsAtOnce ${runsAtOnce}`, "Give a whole number from 1 on, or leave it out");
}

function daemonOf({ buildkit, tls }: DaemonOptions): DaemonOptions {
  return { ...(buildkit === undefined ? {} : { buildkit }), ...(tls === undefined ? {} : { tls }) };
}

function bad(message: string, hint = "Give an absolute path, e.g. path.resolve(dir)"): Error {
  const diagnostic: Diagnostic = { code: "bad-engine", message, at: [], hint };
  return inputError(diagnostic);
}
