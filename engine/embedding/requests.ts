// What an embedding program asks for, and how that becomes a request of the engine.
import { type Diagnostic, inputError } from "../../compiler/index.ts";
import type { ConnectOptions } from "../../runtime/solve/index.ts";
import type { UpEvent } from "../events.ts";
import type { TypedInput } from "../inputs/typed-inputs.ts";
import type { RunChoices, StackRun, Surroundings } from "../request.ts";
import type { SecretCall } from "../secrets/provider.ts";
import type { ConflictPolicy } from "../sources/index.ts";

/** What JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * Where a secret comes from: a reference (`env:NAME` of the engine's `env`, `file:PATH`, `cmd:COMMAND` with `allowHost`), or a function that
 * gives it. The function is called once for each run, before anything runs. No value is ever part of an event, a result or an error.
 */
export type Secret = string | SecretCall;

/** What every call takes. */
export interface CallOptions {
  /** Aborting ends the call, which rejects with a UserError whose `exit` is 130. */
  readonly signal?: AbortSignal;
  /** Modules come from the cache and from what is vendored only. Default false. */
  readonly offline?: boolean;
  /** On whose behalf: handed to `authorize`, and nothing else. */
  readonly actor?: string;
}

/** Which config, and what it is given. */
export interface ConfigOptions extends CallOptions {
  /** Directory or CUE file of the config, from the engine's `cwd` on. Default `.`; not together with `stack`. */
  readonly dir?: string;
  /** Name or slug of a stack of the workspace around `cwd`, whose config it is. */
  readonly stack?: string;
  /** Name or slug of the stack's environment. May be left out where there is only one. */
  readonly environment?: string;
  /** Values by CUE path, e.g. `{ "app.replicas": 3 }`. They are taken as they are: no text names a file. */
  readonly inputs?: Readonly<Record<string, JsonValue>>;
  /** Directories by the CUE path of a filesystem that the config leaves open. They may lie anywhere. */
  readonly directories?: Readonly<Record<string, string>>;
  /** Tags of the config: `NAME` for `@if`, `NAME=VALUE` for `@tag`. */
  readonly tags?: readonly string[];
  /** Lets `@tag(var=NAME)` learn of this machine. Default false. */
  readonly injectVars?: boolean;
}

export interface ComponentOptions extends ConfigOptions {
  /** CUE paths of components. Default: all. */
  readonly targets?: readonly string[];
}

/** Which daemon; without it that of the engine. */
export interface DaemonOptions {
  readonly buildkit?: string;
  readonly tls?: ConnectOptions["tls"];
}

export interface VetOptions extends ComponentOptions {
  /** By id: only the names count. */
  readonly secrets?: Readonly<Record<string, Secret>>;
  readonly ssh?: readonly string[];
}

export interface PlanOptions extends ComponentOptions, DaemonOptions {
  /** By id: what a run would be given. Only the names count. */
  readonly secrets?: Readonly<Record<string, Secret>>;
  readonly ssh?: readonly string[];
  /** File that the plan is written to, for `up` with `plan`. */
  readonly out?: string;
  /** File with the progress of a run (JSON lines), which tells what was in the cache then. */
  readonly run?: string;
}

export interface InspectOptions extends ComponentOptions, DaemonOptions {
  readonly stage: "ops" | "graph" | "llb";
  /** ops: `text`, `json`; graph: `text`, `json`, `dot`, `mermaid`, `svg`, `html`; llb: `text`, `json`, `raw`. Default `text`. */
  readonly format?: "text" | "json" | "dot" | "mermaid" | "svg" | "html" | "raw";
  /** File with the progress of a run (JSON lines), which a graph as `svg` or `html` shows. */
  readonly run?: string;
}

export interface EvalOptions extends ConfigOptions {
  /** CUE in the scope of the config, e.g. a path; without it the whole config. */
  readonly expression?: string;
  /** Default `json`. */
  readonly format?: "cue" | "json" | "yaml" | "text";
  /** Hidden and optional fields, too; only for `cue`. Default false. */
  readonly all?: boolean;
  /** A value that is not known is an error; for all formats but `cue` it always is. */
  readonly concrete?: boolean;
}

export interface UpOptions extends ComponentOptions, DaemonOptions, RunChoices {
  /** By id, as the config's ops name them. */
  readonly secrets?: Readonly<Record<string, Secret>>;
  /** Every step runs, whatever is in the cache. Default false. */
  readonly noCache?: boolean;
  /** What misses a value is left undone with a warning. Default false. */
  readonly gradual?: boolean;
  /** Environments whose outputs it takes run first, as far as they are not up to date. Default false. */
  readonly withDependencies?: boolean;
  /** Hears of everything at once, in order. When it throws, the run is ended and rejects with what was thrown. */
  readonly onEvent?: (event: UpEvent) => void;
}

/** A run that is submitted: recorded before it begins, and looked at by its id, in this process or any other. */
export interface SubmitOptions extends Omit<UpOptions, "withDependencies"> {
  /** Of several runs with the same key only the first one runs. At most 200 characters. */
  readonly idempotencyKey?: string;
}

/** A job that is run again whenever something that it depends on has changed. Times are milliseconds. */
export interface WatchOptions extends Omit<UpOptions, "plan" | "withDependencies" | "onEvent"> {
  /** So long nothing more may change before a run begins. Default 50. */
  readonly quiet?: number;
  /** A run begins so long after the first change at the latest, but for floods of changes. Default 500. */
  readonly limit?: number;
  /** Between looks at what images, git refs, addresses and sources have; 0 for never. Default 60,000. */
  readonly poll?: number;
  /** A run that goes on when something changes is finished first, in place of being cancelled. Default false. */
  readonly queue?: boolean;
  /**
   * Whether the sources of the workspace are followed, and its nodes run: also, in place of a config, or not. Default `also`; `only` where there
   * are sources and no config.
   */
  readonly sources?: "also" | "only" | "none";
  /** Nodes are left to workers that have their labels as tags. Default false. */
  readonly workers?: boolean;
  /** What becomes of what nodes give when its source has changed meanwhile. Default: what the source says. */
  readonly onConflict?: ConflictPolicy;
}

/** How a run is done again: by which daemon and caches, and what is given anew. */
export interface AgainOptions
  extends CallOptions,
    DaemonOptions,
    Pick<UpOptions, "secrets" | "ssh" | "allowHost" | "cacheFrom" | "cacheTo" | "supersede" | "onEvent"> {}

/** What a call on a config is about, for `authorize`. */
export function resourceOf({ dir = ".", stack, environment }: ConfigOptions): string {
  if (stack !== undefined) return environment === undefined ? stack : `${stack}/${environment}`;
  return dir.startsWith("/") || dir.startsWith("./") ? dir : `./${dir}`;
}

/** What a ready stack adds: its config's directory, settings, secrets and sockets. */
export interface Place {
  readonly dir: string;
  readonly stack?: StackRun;
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
}

/** The directory of a request, or what its stack says. Throws UserError (2) when both are given, or the stack is not there. */
export async function placeOf(options: ConfigOptions, surroundings: Surroundings, signal: AbortSignal): Promise<Place> {
  const { dir, stack, environment, offline } = options;
  if (stack === undefined && environment === undefined) return { dir: dir ?? ".", secrets: [], ssh: [] };
  if (dir !== undefined) throw wrong("Both a directory and a stack say which config is meant", "Leave one of them out");
  const { readyStack } = await import("../stacks/index.ts");
  const wish = { ...(stack === undefined ? {} : { stack }), ...(environment === undefined ? {} : { environment }) };
  const ready = await readyStack({ ...surroundings, ...wish, ...(offline === undefined ? {} : { offline }), signal });
  return ready ?? { dir: ".", secrets: [], ssh: [] };
}

/** The inputs of a request. Throws UserError (2) for a value that JSON cannot say. */
export function typedInputs({ inputs = {}, directories = {} }: ConfigOptions): readonly TypedInput[] {
  const values = Object.entries(inputs).map(([path, value]): TypedInput => ({ kind: "value", path, json: jsonOf(path, value) }));
  return [...values, ...Object.entries(directories).map(([path, dir]): TypedInput => ({ kind: "dir", text: `${path}=${dir}` }))];
}

function jsonOf(path: string, value: JsonValue): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value, refuse);
  } catch {
    json = undefined;
  }
  if (json === undefined)
    throw wrong(`Input ${path} is a value that JSON cannot say`, "Give texts, numbers, true or false, null, lists and objects of them");
  return json;
}

/** JSON.stringify would leave these out, or make null of them. */
function refuse(_name: string, value: unknown): unknown {
  if (
    value === undefined ||
    typeof value === "function" ||
    typeof value === "symbol" ||
    (typeof value === "number" && !Number.isFinite(value))
  ) {
    throw new TypeError("not JSON");
  }
  return value;
}

/** Secrets as the engine takes them. Those of the request count more than those that a stack keeps. */
export function secretsOf(
  given: Readonly<Record<string, Secret>> = {},
  kept: readonly string[] = [],
): { readonly secrets: readonly string[]; readonly secretCalls: ReadonlyMap<string, SecretCall> } {
  const own = Object.entries(given).map(([id, secret]) => `${id}=${typeof secret === "function" ? `call:${id}` : secret}`);
  const calls = Object.entries(given).flatMap(([id, secret]) => (typeof secret === "function" ? [[id, secret] as const] : []));
  return { secrets: [...kept.filter((text) => !Object.hasOwn(given, idOf(text))), ...own], secretCalls: new Map(calls) };
}

/** Sockets of a request, and those that a stack keeps and the request does not name. */
export function socketsOf(given: readonly string[] = [], kept: readonly string[] = []): readonly string[] {
  const named = new Set(given.map(idOf));
  return [...kept.filter((text) => !named.has(idOf(text))), ...given];
}

const idOf = (text: string): string => text.split("=")[0] ?? "";

function wrong(message: string, hint: string): Error {
  const diagnostic: Diagnostic = { code: "bad-request", message, at: [], hint };
  return inputError(diagnostic);
}
