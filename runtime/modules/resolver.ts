// Import path → directory in a module of the build, as the cue command finds it: the newest version that the main module's deps ask for,
// then what these ask for in turn.
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../compiler/diagnostic.ts";
import type { FoundPackage, Module, ModuleImport, ModuleResolver } from "../cue/index.ts";
import type { ModuleCache } from "./cache.ts";
import { moduleError, shown } from "./failure.ts";
import { type ModuleFile, newest, readModuleFile } from "./module-file.ts";
import type { ReadData } from "./registries.ts";
import { type ModuleVersion, majorOf, nameOf } from "./version.ts";

/** A module of the build where it lies. */
export interface Placed {
  readonly dir: string;
  /** Part of the user's own files, which may change: the module file to look at again. */
  readonly own?: string;
}

/** Everything one main module depends on. */
export class Build {
  readonly root: string;
  readonly file: ModuleFile;
  readonly #cache: ModuleCache;
  readonly #readModule: ReadData;
  readonly #roots: ReadonlyMap<string, ModuleVersion>;
  readonly #files = new Map<string, Promise<ModuleFile>>();
  #all: Promise<ReadonlyMap<string, ModuleVersion>> | undefined;

  constructor(module: Module, cache: ModuleCache, readModule: ReadData) {
    this.root = module.root;
    const { data, name, local } = module.file ?? { data: {}, name: "cue.mod/module.cue" };
    this.file = local ? readModuleFile(local.data, local.name, data) : readModuleFile(data, name);
    this.#cache = cache;
    this.#readModule = readModule;
    this.#roots = newest(this.file.deps);
  }

  /** What the main module's file lists, by name. */
  get roots(): ReadonlyMap<string, ModuleVersion> {
    return this.#roots;
  }

  /** The roots and what they ask for: of each module the newest version. */
  async all(): Promise<ReadonlyMap<string, ModuleVersion>> {
    this.#all ??= Promise.all(this.file.deps.map(async (dep) => (await this.fileOf(dep)).deps)).then((more) =>
      newest([...this.file.deps, ...more.flat()]),
    );
    return this.#all;
  }

  async place(module: ModuleVersion): Promise<Placed> {
    const replaced = this.file.replacements.get(nameOf(module));
    if (replaced && "dir" in replaced) {
      const dir = path.resolve(this.root, replaced.dir);
      if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
        throw moduleError(
          2,
          "module-file",
          `the replacement ${replaced.dir} of ${nameOf(module)} is not a directory`,
          "replaceWith is relative to the directory that has cue.mod",
        );
      }
      return { dir, own: path.join(dir, "cue.mod", "module.cue") };
    }
    return { dir: await this.#cache.directory(replaced?.module ?? module) };
  }

  fileOf(module: ModuleVersion): Promise<ModuleFile> {
    let known = this.#files.get(nameOf(module) + module.version);
    if (known === undefined) {
      known = this.#readFile(module);
      this.#files.set(nameOf(module) + module.version, known);
    }
    return known;
  }

  async #readFile(module: ModuleVersion): Promise<ModuleFile> {
    const replaced = this.file.replacements.get(nameOf(module));
    if (replaced && "dir" in replaced) {
      const name = path.join((await this.place(module)).dir, "cue.mod", "module.cue");
      return readModuleFile(await this.#readModule({ name, text: readText(name) }), name);
    }
    const chosen = replaced?.module ?? module;
    const file = await this.#cache.moduleFile(chosen);
    try {
      return readModuleFile(await this.#readModule(file), file.name);
    } catch (error) {
      throw error instanceof UserError ? ofOthers(error, chosen) : error;
    }
  }

  /** Major version that an import without one means in the main module. */
  defaultMajor(modulePath: string): string | undefined {
    return this.file.defaults.get(modulePath) ?? only(this.file.deps, modulePath);
  }

  async defaultMajorIn(importer: ModuleVersion, modulePath: string): Promise<string | undefined> {
    if (modulePath === importer.path) return majorOf(importer.version);
    const file = await this.fileOf(importer);
    return file.defaults.get(modulePath) ?? only(file.deps, modulePath);
  }
}

/** The module file of somebody else, which the user cannot mend. */
function ofOthers(error: UserError, module: ModuleVersion): UserError {
  const hint = `Take another version of ${shown(module)}: dagger mod get ${module.path}@VERSION; or a newer dagger`;
  return new UserError(
    error.exit,
    error.diagnostics.map((d) => ({ ...d, hint })),
    { cause: error },
  );
}

/** The one major version of a module among others. */
function only(deps: readonly ModuleVersion[], modulePath: string): string | undefined {
  const majors = new Set(deps.filter((dep) => dep.path === modulePath).map((dep) => majorOf(dep.version)));
  return majors.size === 1 ? [...majors][0] : undefined;
}

/** Finds packages of dependencies; asks registries for what is not in the cache. */
export class CueModules implements ModuleResolver {
  readonly identity: string;
  readonly #cache: ModuleCache;
  readonly #readModule: ReadData;
  readonly #builds = new WeakMap<Module, Build>();

  constructor(cache: ModuleCache, readModule: ReadData, identity: string) {
    this.#cache = cache;
    this.#readModule = readModule;
    this.identity = identity;
  }

  build(module: Module): Build {
    const known = this.#builds.get(module) ?? new Build(module, this.#cache, this.#readModule);
    this.#builds.set(module, known);
    return known;
  }

  /** Where a module lies in the cache, which gets it from its registry first. Nobody writes there. Throws UserError (2, 3). */
  directory(module: ModuleVersion): Promise<string> {
    return this.#cache.directory(module);
  }

  async find(wanted: ModuleImport): Promise<readonly FoundPackage[]> {
    try {
      return await this.#find(wanted);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const placed = error.diagnostics.map((d) => (d.at.length === 0 ? { ...d, at: [wanted.at] } : d));
      throw new UserError(error.exit, placed, { cause: error.cause });
    }
  }

  async #find({ main, path: written, major, from, rootsOnly }: ModuleImport): Promise<readonly FoundPackage[]> {
    const build = this.build(main);
    if (build.roots.size === 0) return [];
    const importPath = from === undefined ? written : ownName(build, from, written);
    const inMain = (prefix: string) => Promise.resolve(major ?? build.defaultMajor(prefix));
    const choices = from === undefined || major !== undefined ? [inMain] : [(prefix: string) => build.defaultMajorIn(from, prefix), inMain];
    for (const choice of choices) {
      const found = await candidates(build, build.roots, importPath, choice);
      if (found.length > 0) return found;
      if (rootsOnly) continue;
      const deep = await candidates(build, await build.all(), importPath, choice);
      if (deep.length > 0) return deep;
    }
    return [];
  }
}

/** A module that stands in for another one calls itself by its own name: its packages are those of the other. */
function ownName(build: Build, from: ModuleVersion, importPath: string): string {
  const replaced = build.file.replacements.get(nameOf(from));
  if (!replaced || "dir" in replaced) return importPath;
  const own = replaced.module.path;
  return importPath === own || importPath.startsWith(`${own}/`) ? from.path + importPath.slice(own.length) : importPath;
}

async function candidates(
  build: Build,
  versions: ReadonlyMap<string, ModuleVersion>,
  importPath: string,
  majorFor: (prefix: string) => Promise<string | undefined>,
): Promise<FoundPackage[]> {
  const found: FoundPackage[] = [];
  for (let prefix = importPath; prefix !== "." && prefix !== "/"; prefix = path.posix.dirname(prefix)) {
    const major = await majorFor(prefix);
    const module = major === undefined ? undefined : versions.get(`${prefix}@${major}`);
    if (module === undefined) continue;
    const { dir: root, own } = await build.place(module);
    const dir = path.join(root, importPath.slice(prefix.length));
    if (!hasCueFiles(dir) || (own !== undefined && isOtherModule(root, dir))) continue;
    const { language } = await build.fileOf(module);
    found.push({ dir, root, module, language, importPath, ...(own !== undefined && { watch: [own] }) });
  }
  return found;
}

function hasCueFiles(dir: string): boolean {
  try {
    return readdirSync(dir).some((name) => name.endsWith(".cue") && statSync(path.join(dir, name), { throwIfNoEntry: false })?.isFile());
  } catch {
    return false;
  }
}

/** A directory of the user may have modules inside, which are not part of it. */
function isOtherModule(root: string, dir: string): boolean {
  for (let at = dir; at !== root; at = path.dirname(at)) {
    if (statSync(path.join(at, "cue.mod", "module.cue"), { throwIfNoEntry: false })) return true;
  }
  return false;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw moduleError(
      2,
      "module-file",
      `Cannot read the module file of a replacement: ${(cause as Error).message}`,
      "a directory in replaceWith has a cue.mod/module.cue",
      cause,
    );
  }
}
