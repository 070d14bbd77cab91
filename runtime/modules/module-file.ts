// cue.mod/module.cue as data: what a module is called, and which versions of others it needs.
import { inputError, type Position } from "../../compiler/diagnostic.ts";
import { compareVersions, isVersion, type ModuleVersion, majorOf, nameOf, pathProblem, splitModule } from "./version.ts";

export interface ModuleFile {
  /** As written, e.g. `example.com/lib@v1`; empty when the file names none. */
  readonly module: string;
  /** Language version, e.g. `v0.16.0`. */
  readonly language: string;
  readonly deps: readonly ModuleVersion[];
  /** Major version that an import without one means, where the file says so. */
  readonly defaults: ReadonlyMap<string, string>;
  /** By name (`example.com/lib@v1`): a directory, or another version of a module. */
  readonly replacements: ReadonlyMap<string, Replacement>;
}

export type Replacement = { readonly dir: string } | { readonly module: ModuleVersion };

interface Dep {
  readonly v?: unknown;
  readonly default?: unknown;
  readonly replaceWith?: unknown;
}

/** `name` is what messages show. `base` gives the versions that a `local-module.cue` leaves out. Throws UserError (2) `module-file`. */
export function readModuleFile(data: unknown, name: string, base?: unknown): ModuleFile {
  const file = struct(data, name, "the module file");
  const outer = base === undefined ? {} : struct(base, name, "the module file");
  const module = file["module"] ?? outer["module"] ?? "";
  if (typeof module !== "string") throw wrong(name, "module must be a text");
  const language = struct(file["language"] ?? outer["language"] ?? {}, name, "language")["version"] ?? "";
  const known = struct(outer["deps"] ?? {}, name, "deps") as Readonly<Record<string, Dep>>;
  const entries = Object.entries(struct(file["deps"] ?? {}, name, "deps")).map(([key, value]) => {
    const dep = struct(value, name, `deps.${JSON.stringify(key)}`) as Dep;
    return readDep(key, { ...dep, v: dep.v ?? known[key]?.v ?? null, default: dep.default ?? known[key]?.default }, name);
  });
  const defaults = new Map(entries.filter((e) => e.isDefault).map((e) => [e.path, e.major]));
  const deps = entries.flatMap((e) => (e.version === undefined ? [] : [{ path: e.path, version: e.version }]));
  const replacements = new Map(
    entries.flatMap((e) =>
      e.replaceWith === undefined ? [] : [[`${e.path}@${e.major}`, replacement(e.replaceWith, deps, defaults, name)] as const],
    ),
  );
  // A module without a version is only there to be replaced.
  const unknown = entries.filter((e) => e.version === undefined).map((e) => ({ path: e.path, version: `${e.major}.0.0-0` }));
  return { module, language: typeof language === "string" ? language : "", deps: [...deps, ...unknown], defaults, replacements };
}

function readDep(key: string, dep: Dep, name: string) {
  const { path, version: written } = splitModule(key);
  const problem = pathProblem(path);
  if (problem !== undefined) throw wrong(name, `${JSON.stringify(key)} in deps is not a module path: ${problem}`);
  const { v, replaceWith } = dep;
  if (replaceWith !== undefined && typeof replaceWith !== "string") throw wrong(name, `replaceWith of ${key} must be a text`);
  if (dep.default !== undefined && typeof dep.default !== "boolean") throw wrong(name, `default of ${key} must be true or false`);
  if (v === null && replaceWith === undefined) throw wrong(name, `${key} in deps has no version v`);
  if (v !== null && (typeof v !== "string" || !isVersion(v))) {
    throw wrong(name, `${JSON.stringify(v)} of ${key} is not a version like v1.2.3`);
  }
  const major = written ?? (typeof v === "string" ? majorOf(v) : "");
  if (!/^v(0|[1-9]\d*)$/.test(major)) throw wrong(name, `${key} in deps needs a major version, e.g. ${path}@v0`);
  if (typeof v === "string" && majorOf(v) !== major) throw wrong(name, `${key} in deps has the version ${v} of another major version`);
  return {
    path,
    major,
    isDefault: dep.default === true,
    ...(typeof v === "string" && { version: v }),
    ...(replaceWith !== undefined && { replaceWith }),
  };
}

function replacement(text: string, deps: readonly ModuleVersion[], defaults: ReadonlyMap<string, string>, name: string): Replacement {
  if (/^[./]/.test(text)) return { dir: text };
  const { path, version: written } = splitModule(text);
  const major = written === undefined ? defaults.get(path) : majorOf(written);
  const listed = deps.find((dep) => dep.path === path && majorOf(dep.version) === major);
  const version = listed?.version ?? (written !== undefined && isVersion(written) ? written : undefined);
  if (version === undefined) throw wrong(name, `the replacement ${text} must be in deps, with a version`);
  return { module: { path, version } };
}

/** The newest of each module, by name: a file may not list one twice, but several files do. */
export function newest(versions: Iterable<ModuleVersion>): Map<string, ModuleVersion> {
  const chosen = new Map<string, ModuleVersion>();
  for (const module of versions) {
    const known = chosen.get(nameOf(module));
    if (known === undefined || compareVersions(known.version, module.version) < 0) chosen.set(nameOf(module), module);
  }
  return chosen;
}

function struct(data: unknown, name: string, what: string): Readonly<Record<string, unknown>> {
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw wrong(name, `${what} must be a struct`);
  return data as Readonly<Record<string, unknown>>;
}

function wrong(file: string, why: string): Error {
  const at: Position[] = [{ file, line: 1, column: 1 }];
  return inputError({
    code: "module-file",
    message: `Cannot use ${file}: ${why}`,
    at,
    hint: "`dagger mod get MODULE@VERSION` writes deps as they must be",
  });
}
