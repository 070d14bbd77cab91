// The engine for embedding programs: createEngine binds what a tenant has (variables, directories, a daemon) to the calls of engine/.
import { isAbsolute, join } from "node:path";
import { type Diagnostic, inputError } from "../../compiler/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import { evaluate, inspect, plan, up, vet } from "../index.ts";
import type { Plan } from "../plan/index.ts";
import type { ReadRequest, Surroundings } from "../request.ts";
import type { Vetted } from "../vet.ts";
import { Calls } from "./calls.ts";
import { type Connectors, connectorsOf } from "./connectors.ts";
import { EventQueue } from "./events.ts";
import type {
  ComponentOptions,
  ConfigOptions,
  DaemonOptions,
  EvalOptions,
  InspectOptions,
  Place,
  PlanOptions,
  UpOptions,
  VetOptions,
} from "./requests.ts";
import { placeOf, secretsOf, socketsOf, typedInputs } from "./requests.ts";
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
}

/** A run that was started. */
export interface StartedRun {
  /** Everything that happens, in order, from the start on: for one reader. The loop ends with the run, also with one that fails. */
  readonly events: AsyncIterableIterator<UpEvent, undefined>;
  /** As of `up`. */
  readonly result: Promise<UpResult>;
  /** Ends the run, on the daemon too: `result` rejects with exit 130. */
  cancel(): void;
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
  /** Ends all calls (they reject with exit 130) and waits until they have. Later calls reject with `engine-closed`. A daemon goes on. */
  close(): Promise<void>;
}

/** Makes an engine. Nothing is read or started before a call needs it. Rejects with UserError (2) `bad-engine` for wrong options. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const surroundings = surroundingsOf(options);
  const calls = new Calls();
  const daemon = daemonOf(options);

  /** The parts that every request about a config has. */
  const about = async (of: ConfigOptions, signal: AbortSignal): Promise<{ readonly place: Place; readonly request: Config }> => {
    const place = await placeOf(of, surroundings, signal);
    const { dir, stack } = place;
    const request = {
      ...surroundings,
      dir,
      inputs: [],
      typedInputs: typedInputs(of),
      ...given(of, ["tags", "injectVars", "offline"]),
      ...(stack === undefined ? {} : { stack }),
      signal,
    };
    return { place, request };
  };
  const targetsOf = ({ targets = [] }: ComponentOptions): { readonly targets: readonly string[] } => ({ targets });
  const doUp = (of: UpOptions, tell: (event: UpEvent) => void): Promise<UpResult> =>
    calls.run(of.signal, async (outer) => {
      const listener = new Listener(outer, tell);
      const { place, request } = await about(of, listener.signal);
      const running = up({
        ...request,
        ...daemon,
        ...given(of, [
          "buildkit",
          "tls",
          "allowHost",
          "cacheFrom",
          "cacheTo",
          "attest",
          "locked",
          "sourcePolicy",
          "daemonHistory",
          "keepGoing",
          "gradual",
        ]),
        ...targetsOf(of),
        ...secretsOf(of.secrets, place.secrets),
        ssh: socketsOf(of.ssh, place.ssh),
        noCache: of.noCache ?? false,
        onEvent: (event) => listener.hear(event),
      });
      return listener.watch(running);
    });

  const inspectAny = (of: InspectOptions): Promise<string | Uint8Array> =>
    calls.run(of.signal, async (signal) => {
      const { request } = await about(of, signal);
      const { stage, format = "text" } = of;
      return inspect({ ...request, ...daemon, ...given(of, ["buildkit", "tls", "run"]), ...targetsOf(of), stage, format });
    });

  return {
    up: (of = {}) => doUp(of, of.onEvent ?? (() => undefined)),
    start: (of = {}) => started(of, doUp),
    plan: (of = {}) =>
      calls.run(of.signal, async (signal) => {
        const { request } = await about(of, signal);
        return plan({ ...request, ...daemon, ...given(of, ["buildkit", "tls", "run"]), ...targetsOf(of) });
      }),
    // Which of the two it is, the format says.
    inspect: inspectAny as Engine["inspect"],
    vet: (of = {}) =>
      calls.run(of.signal, async (signal) => {
        const { place, request } = await about(of, signal);
        const { secrets } = secretsOf(of.secrets, place.secrets);
        return vet({ ...request, ...targetsOf(of), secrets, ssh: socketsOf(of.ssh, place.ssh) });
      }),
    eval: (of = {}) =>
      calls.run(of.signal, async (signal) => {
        const { request } = await about(of, signal);
        return evaluate({ ...request, ...given(of, ["expression", "all", "concrete"]), format: of.format ?? "json" });
      }),
    stacks: stacksOf(surroundings, calls),
    connectors: connectorsOf(surroundings, calls),
    close: () => calls.close(),
  };
}

type Config = ReadRequest & { readonly typedInputs: ReturnType<typeof typedInputs>; readonly signal: AbortSignal };

/** Hears the events of a run; a listener that throws ends the run. */
class Listener {
  readonly #controller = new AbortController();
  readonly #tell: (event: UpEvent) => void;
  #thrown: { readonly error: unknown } | undefined;
  readonly signal: AbortSignal;

  constructor(outer: AbortSignal, tell: (event: UpEvent) => void) {
    this.#tell = tell;
    this.signal = this.#controller.signal;
    // The outer one is of this call only.
    outer.addEventListener("abort", () => this.#controller.abort(outer.reason), { once: true });
    if (outer.aborted) this.#controller.abort(outer.reason);
  }

  hear(event: UpEvent): void {
    if (this.#thrown !== undefined) return;
    try {
      this.#tell(event);
    } catch (error) {
      this.#thrown = { error };
      this.#controller.abort();
    }
  }

  async watch<T>(running: Promise<T>): Promise<T> {
    const settled = await running.then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return settled();
  }
}

function started(of: UpOptions, doUp: (of: UpOptions, tell: (event: UpEvent) => void) => Promise<UpResult>): StartedRun {
  const events = new EventQueue();
  const controller = new AbortController();
  const abort = (): void => controller.abort(of.signal?.reason);
  of.signal?.addEventListener("abort", abort, { once: true });
  if (of.signal?.aborted === true) abort();
  const result = doUp({ ...of, signal: controller.signal }, (event) => events.push(event)).finally(() => {
    of.signal?.removeEventListener("abort", abort);
    events.end();
  });
  // Whoever reads events first asks for the result later.
  result.catch(() => undefined);
  return { events, result, cancel: () => controller.abort() };
}

/** Variables and directory of an engine; what it keeps goes below its data directory. */
function surroundingsOf({ env, cwd, dataDir }: EngineOptions): Surroundings {
  if (!isAbsolute(cwd)) throw bad(`The directory of an engine is not absolute: cwd is ${JSON.stringify(cwd)}`);
  if (dataDir === undefined) return { env: { ...env }, cwd };
  if (!isAbsolute(dataDir)) throw bad(`The data directory of an engine is not absolute: dataDir is ${JSON.stringify(dataDir)}`);
  const own = {
    DAGGER_CACHE_DIR: join(dataDir, "cache"),
    DAGGER_DATA_DIR: join(dataDir, "data"),
    CUE_CACHE_DIR: join(dataDir, "modules"),
  };
  // Without one, logins would come from the home of whoever runs the process.
  return { env: { ...env, HOME: env["HOME"] ?? dataDir, ...own }, cwd };
}

function daemonOf({ buildkit, tls }: DaemonOptions): DaemonOptions {
  return { ...(buildkit === undefined ? {} : { buildkit }), ...(tls === undefined ? {} : { tls }) };
}

/** These fields, as far as they are there. */
function given<T extends object, K extends keyof T>(from: T, names: readonly K[]): { readonly [name in K]?: NonNullable<T[name]> } {
  const found = names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]] as const);
  return Object.fromEntries(found) as { readonly [name in K]?: NonNullable<T[name]> };
}

function bad(message: string): Error {
  const diagnostic: Diagnostic = { code: "bad-engine", message, at: [], hint: "Give an absolute path, e.g. path.resolve(dir)" };
  return inputError(diagnostic);
}
