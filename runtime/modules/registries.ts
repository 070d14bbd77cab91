// Which registry has a module: CUE_REGISTRY in all its forms, read as the cue command reads it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { inputError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import { pathProblem } from "./version.ts";

/** CUE's central registry. */
const centralRegistry = "registry.cue.works";

/** Where the versions of a module lie. */
export interface Location {
  /** `host` or `host:port`. */
  readonly host: string;
  /** Plain HTTP. */
  readonly insecure: boolean;
  readonly repository: string;
  /** Tags of its versions start with this. */
  readonly tagPrefix: string;
}

/** A place that the setting names, for a list of the modules there. */
export interface Place extends Pick<Location, "host" | "insecure"> {
  /** Why nobody can tell its modules by the names of its repositories. */
  readonly unlisted?: string;
  /** The module whose versions lie in a repository of this host; undefined when none can. */
  modulePath(repository: string): string | undefined;
}

export interface Registries {
  /** Undefined when no registry is to be asked for this module (`none`). */
  locate(modulePath: string): Location | undefined;
  readonly places: readonly Place[];
}

type Encoding = "path" | "hashAsRepo" | "hashAsTag";

interface Registry {
  readonly host: string;
  readonly repository: string;
  readonly insecure: boolean;
  readonly encoding: Encoding;
  readonly prefixForTags: string;
  readonly stripPrefix: boolean;
}

/** Reads a configuration file: its text as plain data. Throws UserError (2). */
export type ReadData = (file: { readonly name: string; readonly text: string }) => Promise<unknown>;

/** Throws UserError (2) `bad-cue-registry` when the setting cannot be understood. */
export async function readRegistries(env: Environment, readData: ReadData): Promise<Registries> {
  const setting = env["CUE_REGISTRY"] ?? "";
  const colon = setting.indexOf(":");
  const [kind, rest] = [setting.slice(0, Math.max(colon, 0)), setting.slice(colon + 1)];
  if (kind === "file") return fromConfig(await readData({ name: rest, text: readConfigFile(rest) }), rest);
  if (kind === "inline") return fromConfig(await readData({ name: "CUE_REGISTRY", text: rest }), "CUE_REGISTRY");
  return fromList(kind === "simple" ? rest : setting);
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw wrong(`Cannot read its file: ${(cause as Error).message}`);
  }
}

/** `prefix=registry,…,registry`. */
function fromList(setting: string): Registries {
  const byPrefix = new Map<string, Registry | undefined>();
  for (const item of setting === "" ? [] : setting.split(",")) {
    const equals = item.indexOf("=");
    const [prefix, registry] = equals < 0 ? ["", item] : [item.slice(0, equals), item.slice(equals + 1)];
    if (item === "" || registry === "") throw wrong("it has an empty registry");
    if (equals === 0) throw wrong(`the module prefix before ${JSON.stringify(item)} is empty`);
    if (equals > 0) checkPrefix(prefix);
    if (byPrefix.has(prefix)) throw wrong(prefix === "" ? "it has two default registries" : `it has the module prefix ${prefix} twice`);
    byPrefix.set(prefix, parseRegistry(registry));
  }
  return registriesOf(byPrefix);
}

function fromConfig(data: unknown, name: string): Registries {
  const byPrefix = new Map<string, Registry | undefined>();
  const { moduleRegistries = {}, defaultRegistry, ...others } = object(data, name);
  onlyFields(others, name);
  for (const [prefix, registry] of Object.entries(object(moduleRegistries, `moduleRegistries in ${name}`))) {
    checkPrefix(prefix);
    byPrefix.set(prefix, fromFields(registry, `moduleRegistries.${JSON.stringify(prefix)} in ${name}`));
  }
  if (defaultRegistry !== undefined) byPrefix.set("", fromFields(defaultRegistry, `defaultRegistry in ${name}`));
  return registriesOf(byPrefix);
}

function fromFields(data: unknown, where: string): Registry | undefined {
  const { registry, pathEncoding = "path", prefixForTags = "", stripPrefix = false, ...others } = object(data, where);
  onlyFields(others, where);
  if (typeof registry !== "string") throw wrong(`${where} needs a text registry`);
  if (pathEncoding !== "path" && pathEncoding !== "hashAsRepo" && pathEncoding !== "hashAsTag") {
    throw wrong(`pathEncoding of ${where} must be "path", "hashAsRepo" or "hashAsTag"`);
  }
  if (typeof prefixForTags !== "string" || !/^(|[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127})$/.test(prefixForTags)) {
    throw wrong(`prefixForTags of ${where} is not the start of a tag`);
  }
  if (typeof stripPrefix !== "boolean") throw wrong(`stripPrefix of ${where} must be true or false`);
  const parsed = parseRegistry(registry);
  if (stripPrefix && pathEncoding !== "path") throw wrong(`stripPrefix of ${where} needs pathEncoding "path"`);
  if (stripPrefix && parsed?.repository === "") throw wrong(`stripPrefix of ${where} needs a registry with a repository`);
  return parsed && { ...parsed, encoding: pathEncoding, prefixForTags, stripPrefix };
}

function object(data: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw wrong(`${where} must be a struct`);
  return data as Readonly<Record<string, unknown>>;
}

function onlyFields(others: Readonly<Record<string, unknown>>, where: string): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(`${where} has an unknown field ${unknown}`);
}

function checkPrefix(prefix: string): void {
  const problem = prefix.includes("@") ? "it has a version" : pathProblem(prefix);
  if (problem !== undefined) throw wrong(`${JSON.stringify(prefix)} is not a module path: ${problem}`);
}

/** `host[:port][/repository][+insecure|+secure]`; undefined for `none`. */
function parseRegistry(text: string): Registry | undefined {
  if (text === "none") return undefined;
  const [, reference = "", security] = /^(.*?)(?:\+([^+]*))?$/s.exec(text) ?? [];
  const slash = reference.indexOf("/");
  const [host, repository] = slash < 0 ? [reference, ""] : [reference.slice(0, slash), reference.slice(slash + 1)];
  if (!/^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(:[0-9]+)?$/.test(host)) {
    throw wrong(`${JSON.stringify(host)} is not the host of a registry`);
  }
  const name = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
  if (slash >= 0 && !new RegExp(`^${name}(?:/${name})*$`).test(repository)) {
    throw wrong(`${JSON.stringify(repository)} in ${JSON.stringify(text)} is not a repository (tags and digests do not belong here)`);
  }
  if (security !== undefined && security !== "insecure" && security !== "secure") {
    throw wrong(`${JSON.stringify(`+${security}`)} is unknown: it is +insecure or +secure`);
  }
  const insecure = security === undefined ? isLoopback(host) : security === "insecure";
  return { host, repository, insecure, encoding: "path", prefixForTags: "", stripPrefix: false };
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}

function registriesOf(byPrefix: Map<string, Registry | undefined>): Registries {
  if (!byPrefix.has("")) byPrefix.set("", parseRegistry(centralRegistry));
  const security = new Map<string, boolean>();
  for (const registry of byPrefix.values()) {
    if (registry === undefined) continue;
    if ((security.get(registry.host) ?? registry.insecure) !== registry.insecure) {
      throw wrong(`the host ${registry.host} is both secure and insecure`);
    }
    security.set(registry.host, registry.insecure);
  }
  const locate = (modulePath: string): Location | undefined => {
    let prefix = modulePath;
    while (prefix !== "" && !byPrefix.has(prefix)) prefix = prefix.slice(0, Math.max(prefix.lastIndexOf("/"), 0));
    const registry = byPrefix.get(prefix);
    return registry && locationIn(registry, prefix, modulePath);
  };
  const places = [...byPrefix].flatMap(([prefix, registry]) => (registry === undefined ? [] : [placeOf(registry, prefix, locate)]));
  return { locate, places };
}

function placeOf(registry: Registry, prefix: string, locate: Registries["locate"]): Place {
  const { host, insecure, encoding, repository: parent, stripPrefix } = registry;
  const modulePath = (repository: string): string | undefined => {
    if (parent !== "" && repository !== parent && !repository.startsWith(`${parent}/`)) return undefined;
    const inner = parent === "" ? repository : repository.slice(parent.length + 1);
    const path = stripPrefix && prefix !== "" ? `${prefix}${inner === "" ? "" : `/${inner}`}` : inner;
    const found = pathProblem(path) === undefined ? locate(path) : undefined;
    return found?.host === host && found.repository === repository ? path : undefined;
  };
  if (host === centralRegistry) return { host, insecure, modulePath, unlisted: "the central registry gives no list" };
  if (encoding !== "path") return { host, insecure, modulePath, unlisted: "its repositories are not named by their modules" };
  return { host, insecure, modulePath };
}

function locationIn(registry: Registry, prefix: string, modulePath: string): Location {
  const { host, insecure, encoding, prefixForTags, repository } = registry;
  const hash = (): string => createHash("sha256").update(modulePath).digest("hex");
  const inner = registry.stripPrefix ? modulePath.slice(prefix.length).replace(/^\//, "") : modulePath;
  const join = (...parts: string[]): string => parts.filter((part) => part !== "").join("/");
  switch (encoding) {
    case "path":
      return { host, insecure, repository: join(repository, inner), tagPrefix: prefixForTags };
    case "hashAsRepo":
      return { host, insecure, repository: join(repository, hash()), tagPrefix: prefixForTags };
    case "hashAsTag":
      return { host, insecure, repository, tagPrefix: `${prefixForTags}${hash()}-` };
  }
}

function wrong(why: string): Error {
  return inputError({
    code: "bad-cue-registry",
    message: `Cannot use CUE_REGISTRY: ${why}`,
    at: [],
    hint: "It is a registry, e.g. registry.example.com/prefix, or a list PREFIX=REGISTRY,REGISTRY, or file:PATH; see `cue help registryconfig`",
  });
}
