// A config on its way to a job: read from disk, evaluated with the user's inputs, compiled for this machine.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Job, Platform, Ports } from "../../compiler/index.ts";
import { compile } from "../../compiler/index.ts";
import type { Evaluation, Evaluator, Fill, Observation } from "../../runtime/cue/index.ts";
import { createEvaluator, openCache, readSource } from "../../runtime/cue/index.ts";
import { hostPlatform } from "../../runtime/images/index.ts";
import { openModules } from "../../runtime/modules/index.ts";
import { readClientId, scopedId } from "../../runtime/session/index.ts";
import { asset, libraryDir, packageRoot } from "../assets.ts";
import { parseInputs } from "../inputs/inputs.ts";
import type { TypedInput } from "../inputs/typed-inputs.ts";
import { readTypedInputs } from "../inputs/typed-inputs.ts";
import type { Pins } from "../lock/pins.ts";
import { isOffline } from "../modules/modules.ts";
import type { ReadRequest, StackRun, Surroundings } from "../request.ts";
import { inStackTerms } from "../settings/explain.ts";
import { readSettings } from "../settings/fills.ts";
import { version } from "../version.ts";
import { rootOf } from "../workspace/find.ts";
import { nameReferences } from "./gradual.ts";
import { knownHosts } from "./known-hosts.ts";
import { withAllMistakes } from "./mistakes.ts";

export interface ConfigRequest extends ReadRequest {
  /** Aborting ends an evaluation that takes long. */
  readonly signal?: AbortSignal;
  readonly typedInputs?: readonly TypedInput[];
  readonly gradual?: boolean;
  /** Whether an evaluation, as text, may be kept for later runs: none with a secret in it may. */
  readonly mayKeep?: (text: string) => boolean;
  readonly secrets?: readonly string[];
  readonly ssh?: readonly string[];
  /** Resolves when no other run of the environment goes on: what it gave last is not read before. */
  readonly turn?: Promise<void>;
  /** Told what of the disk decides what the config is. */
  readonly onSeen?: (seen: readonly Observation[]) => void;
}

export interface Config {
  readonly evaluation: Evaluation;
  /** The files that were evaluated. */
  readonly source: ReadConfig["source"];
  /** Absolute directory of the config: relative paths in it start here. */
  readonly dir: string;
  /** Absolute directory that no path may leave: where cue.mod lies, else the config's. */
  readonly workspace: string;
  /** Directories of dagger itself that a job may upload. */
  readonly own: readonly string[];
  /** Directories outside of the workspace that the job may upload: those that inputs name. */
  readonly granted: readonly string[];
  /** Where relative paths of what is saved start, and which directory they may not leave. */
  readonly destinations: { readonly workspace: string; readonly configDir: string };
  /** Credentials of the connectors that the config asks for, as `--secret` takes them. */
  readonly secrets: readonly string[];
  /** Of the workspace's sources that the config takes, the versions: by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Caches without a name of their own are shared by the configs of one place: of this directory. */
  readonly scope: string;
  readonly clientId: string;
  /** Gives back the memory of CUE, when no more values are to be filled in. */
  release(): Promise<void>;
  close(): void;
}

/** A config that was read, with the values for it; nothing is evaluated yet. */
export interface ReadConfig {
  readonly evaluator: Evaluator;
  readonly source: Awaited<ReturnType<typeof readSource>>;
  readonly fills: readonly Fill[];
  readonly granted: readonly string[];
}

/** Reads a config and hands it to `use`; what is wrong with either ends CUE. Throws UserError (2) with everything that is wrong. */
export async function readConfig<T>(request: ConfigRequest, use: (config: ReadConfig) => Promise<T>): Promise<T> {
  const { env, cwd, signal, mayKeep, repeat } = request;
  const given = parseInputs(request.inputs, (path) => readFileSync(resolve(cwd, path), "utf8"));
  const typed = await readTypedInputs(
    request.typedInputs ?? [],
    cwd,
    given.map(({ path }) => path),
  );
  const set = await readSettings(repeat === undefined ? request.stack : undefined, [...given, ...typed.fills], cwd);
  const wasm = asset("cue.wasm");
  const cache = openCache(env, wasm, version.dagger, import.meta.url);
  const compiled = env["DAGGER_CUE_CODE"] !== "off";
  const evaluator = await createEvaluator({ wasm, follow: ["#up"], cache, mayKeep, compiled, signal });
  try {
    if (repeat !== undefined) return await use({ evaluator, ...repeat });
    const { resolver: modules } = openModules({ ...request, offline: isOffline(request), evaluator });
    const { tags, injectVars, onSeen } = request;
    const source = await readSource(evaluator, request.dir, { cwd, library: libraryDir(), tags, injectVars, cache, modules, onSeen });
    return await use({ evaluator, source, fills: [...set.fills, ...given, ...typed.fills], granted: [...set.dirs, ...typed.dirs] });
  } catch (error) {
    void evaluator.close();
    throw inStackTerms(withAllMistakes(error), request.stack);
  }
}

/** Reads and evaluates a config. Throws UserError (2) with everything that is wrong in it. */
export function loadConfig(request: ConfigRequest): Promise<Config> {
  return readConfig(request, async ({ evaluator, source, fills, granted }) => {
    const { evaluation, secrets } = await connected(await evaluator.load(source, fills), source, request);
    const data = await withSources(evaluation, source, request);
    return {
      evaluation: await fillPrevious(await fillNames(data.evaluation, request), source, request),
      secrets: [...secrets, ...data.secrets],
      versions: data.versions,
      source,
      dir: source.dir,
      workspace: source.moduleRoot ?? source.dir,
      own: [helperDir(hostPlatform())],
      granted: [...granted, ...data.granted],
      ...placesOf(source, request.stack),
      clientId: await readClientId(request.env),
      release: () => evaluator.release(),
      close: () => void evaluator.close(),
    };
  });
}

/** With the connectors that the config asks for. Only one that imports the package for it does, and needs the code. */
async function connected(
  evaluation: Evaluation,
  { packages }: ReadConfig["source"],
  request: ConfigRequest,
): Promise<{ readonly evaluation: Evaluation; readonly secrets: readonly string[] }> {
  if (!packages.some(({ importPath }) => importPath === "cuellb.dev/connector")) return { evaluation, secrets: [] };
  const { connectConfig } = await import("../connectors/requests.ts");
  const { fills, secrets } = await connectConfig(evaluation.root, rootOf(request), request.cwd);
  return { evaluation: fills.length === 0 ? evaluation : await evaluation.fill(fills), secrets };
}

type WithSources = Pick<Config, "evaluation" | "secrets" | "versions" | "granted">;

/** With the sources that the config takes. A run that is done again has them among its fills. */
async function withSources(evaluation: Evaluation, { packages }: ReadConfig["source"], request: ConfigRequest): Promise<WithSources> {
  const takes = packages.some(({ importPath }) => importPath === "cuellb.dev/data");
  if (!takes || request.repeat !== undefined) return { evaluation, secrets: [], versions: {}, granted: [] };
  const { takeSources } = await import("../nodes/requests.ts");
  const { fills, ...taken } = await takeSources(evaluation.root, rootOf(request), request);
  return { ...taken, evaluation: fills.length === 0 ? evaluation : await evaluation.fill(fills) };
}

/** A config in a cache saves nothing there, and has other directories for other commits. */
function placesOf({ dir, moduleRoot = dir }: ReadConfig["source"], stack: StackRun | undefined): Pick<Config, "destinations" | "scope"> {
  if (stack?.cached !== true) return { destinations: { workspace: moduleRoot, configDir: dir }, scope: moduleRoot };
  return { destinations: { workspace: stack.root, configDir: stack.root }, scope: join(stack.root, ".dagger", "stacks", stack.stack) };
}

/** What the environment gave last. A run that is done again has it among its fills. */
async function fillPrevious(evaluation: Evaluation, { packages }: ReadConfig["source"], request: ConfigRequest): Promise<Evaluation> {
  const marked = packages.some(({ own, files }) => own && files.some(({ text }) => /@dagger\(\s*previous\b/.test(text)));
  if (!marked || request.repeat !== undefined) return evaluation;
  const { withPrevious } = await import("../state/previous.ts");
  return withPrevious(evaluation, request);
}

/** The names of secrets and sockets that the config leaves open. */
async function fillNames(evaluation: Evaluation, { secrets = [], ssh = [] }: ConfigRequest): Promise<Evaluation> {
  const names = [...nameReferences(evaluation.root, secrets, "--secret"), ...nameReferences(evaluation.root, ssh, "--ssh")];
  return names.length === 0 ? evaluation : evaluation.fill(names);
}

export interface CompileRequest extends Pick<Surroundings, "env"> {
  readonly targets: readonly string[];
  readonly noCache?: boolean;
  readonly gradual?: boolean;
  /** Only tests run; their reports come into directories below this one (absolute). */
  readonly reports?: string;
  /** A name that no other run has; left out where nothing runs. */
  readonly run?: string;
  /** The directories that host steps left, by their keys; without it all are taken to have run. */
  readonly hosts?: (key: string) => string | undefined;
  /** What names are taken as. */
  readonly pins?: Pins;
  /** LLB capabilities of a daemon that lacks some that ops depend on. */
  readonly caps?: ReadonlySet<string>;
}

export async function compileConfig(config: Config, evaluation: Evaluation, ports: Ports, request: CompileRequest): Promise<Job> {
  const job = await compile(evaluation.root, ports, {
    platform: hostPlatform(),
    workspace: config.workspace,
    granted: config.granted,
    configDir: config.dir,
    destinations: config.destinations,
    cacheScope: scopedId(config.clientId, config.scope),
    helper: (platform) => ({ name: `dagger-run-${platform.architecture}`, dir: helperDir(platform), at: [] }),
    localUnique: (dir) => scopedId(config.clientId, dir),
    knownHosts: knownHosts(request.env),
    targets: request.targets,
    noCache: request.noCache ?? false,
    gradual: request.gradual ?? false,
    ...(request.pins?.matter === true && { locked: (need) => request.pins?.of(need) }),
    ...(request.run === undefined ? {} : { run: request.run }),
    ...(request.hosts === undefined ? {} : { hosts: request.hosts }),
    ...(request.reports === undefined ? {} : { reports: request.reports }),
    ...(request.caps === undefined ? {} : { caps: request.caps }),
  });
  const { waiting } = job;
  // The code that reads schedules is loaded where there are any.
  if (waiting.some(({ trigger }) => trigger.kind === "schedule")) (await import("../triggers/schedule.ts")).schedulesOf(waiting);
  return job;
}

/** Where `make` put the program that brings computed values into containers of a platform. */
function helperDir(platform: Platform): string {
  return join(packageRoot(), "dist", "run", platform.architecture);
}
