// Reading an instance: its files and those of every package it imports, into memory.
import path from "node:path";
import { type Diagnostic, inputError, UserError } from "../../compiler/diagnostic.ts";
import type { Cache } from "./cache.ts";
import { Disk, type Observation } from "./disk.ts";
import { embeddedFiles } from "./embed.ts";
import type { Evaluator } from "./evaluate.ts";
import { displayName, readCueFile } from "./files.ts";
import type { Module, ModuleResolver, PackageDir, Source } from "./layout.ts";
import { findModule, readModule } from "./module.ts";
import { noFiles, noPackage, nothingThere } from "./no-package.ts";
import type { Import, Package } from "./protocol.ts";
import { type Asked, recallSource, rememberSource } from "./recall.ts";
import { checkReplaced, type Resolving, resolveImport } from "./resolve.ts";
import { languageOf, type Selected, type SelectedFile, selectFile, selectPackage } from "./select.ts";
import { readVars } from "./tags.ts";

export interface ReadOptions {
  /** Absolute working directory: files below it are shown relative to it. */
  readonly cwd: string;
  /** Absolute directory of our own packages: `cuellb.dev/op` is `op` below it. */
  readonly library: string;
  /** Tags: NAME for `@if` and shorthands, NAME=VALUE for `@tag(NAME)`. */
  readonly tags?: readonly string[] | undefined;
  /** Let `@tag(var=NAME)` learn of this machine: its time, name, user, directory. */
  readonly injectVars?: boolean | undefined;
  /** Packages of modules that the main module depends on; without it, only those that a directory stands in for. */
  readonly modules?: ModuleResolver | undefined;
  /** Remembers what was read: when nothing of it has changed, a later run reads it again without asking CUE. */
  readonly cache?: Cache | undefined;
  /** Told what was looked at, also of an instance that cannot be read. */
  readonly onSeen?: ((seen: readonly Observation[]) => void) | undefined;
}

/** Reads the instance in a directory, or in one file. Throws UserError (2). */
export async function readSource(evaluator: Evaluator, dirOrFile: string, options: ReadOptions): Promise<Source> {
  const target = path.resolve(options.cwd, dirOrFile);
  const { cache, modules, tags = [], injectVars = false, cwd, library, onSeen } = options;
  const asked: Asked = { target, cwd, library, tags, injectVars, modules: modules?.identity };
  const known = cache && recallSource(cache, asked);
  if (known) {
    onSeen?.(known.observations);
    return known.source;
  }
  const disk = new Disk();
  try {
    const source = await new Reader(evaluator, disk, options).read(target);
    if (cache) rememberSource(cache, asked, source, disk);
    return source;
  } finally {
    onSeen?.(disk.observations);
  }
}

/** Reads each package once, however many packages import it. */
class Reader {
  readonly #evaluator: Evaluator;
  readonly #disk: Disk;
  readonly #options: ReadOptions;
  readonly #packages: Package[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #askedTags = new Set<string>();
  readonly #vars = new Set<string>();
  /** Imports that lead nowhere: all of them are reported together. */
  readonly #wrong: Diagnostic[] = [];
  readonly #modules = new Map<string, Promise<Module>>();
  /** Where imports lead, and the files of packages: looked up once, ahead of their turn where that means to wait for a registry. */
  readonly #resolved = new WeakMap<Import, Promise<PackageDir>>();
  readonly #selected = new Map<string, Promise<Selected>>();
  #module: Module | undefined;

  constructor(evaluator: Evaluator, disk: Disk, options: ReadOptions) {
    this.#evaluator = evaluator;
    this.#disk = disk;
    this.#options = options;
  }

  async read(target: string): Promise<Source> {
    const { cwd } = this.#options;
    const kind = this.#disk.kind(target);
    if (kind === "none") throw nothingThere(target, cwd);
    const isFile = kind !== "directory";
    const dir = isFile ? path.dirname(target) : target;
    const module = await findModule(this.#disk, dir, cwd, this.#evaluator);
    this.#module = module;
    await checkReplaced(this.#resolving);
    // As in CUE, a file that is named itself is part of no module, though it imports as one.
    const embeds = isFile || !module?.path ? "" : `${module.path}@${module.major}`;
    const found: PackageDir = { dirs: [dir], own: true, embeds, ...(module && { root: module.root, module }) };
    const selected = isFile ? await this.#selectFile(target, found) : await this.#select(found);
    if (selected.files.length === 0) throw noPackage(target, cwd, selected);
    for (const file of selected.files) for (const name of file.scanned.vars) this.#vars.add(name);
    await this.#add(this.#mainPath(dir, selected.name), selected, found);
    if (this.#wrong.length > 0) throw inputError(...this.#wrong);
    return { dir, ...(module && { moduleRoot: module.root }), packages: this.#packages, ...this.#tags() };
  }

  #tags(): Pick<Source, "tags"> {
    const { tags = [], injectVars, cwd } = this.#options;
    const vars = injectVars ? { vars: readVars([...this.#vars], cwd) } : {};
    if (tags.length === 0 && !injectVars) return {};
    return { tags: { tags, knownTags: [...this.#askedTags].sort(), ...vars } };
  }

  #by(found: PackageDir) {
    const show = (file: string) => (found.shownAs ? found.shownAs(file) : displayName(file, this.#options.cwd));
    return { evaluator: this.#evaluator, disk: this.#disk, tags: this.#options.tags ?? [], show };
  }

  async #selectFile(file: string, found: PackageDir): Promise<Selected> {
    return this.#noted(
      await selectFile(this.#by(found), readCueFile(this.#disk, file, displayName(file, this.#options.cwd)), found),
      found,
    );
  }

  async #select(found: PackageDir, name?: string): Promise<Selected> {
    return this.#noted(await selectPackage(this.#by(found), found, name), found);
  }

  #noted(selected: Selected, found: PackageDir): Selected {
    if (found.own) for (const tag of selected.asked) this.#askedTags.add(tag);
    return selected;
  }

  /** Adds a package and, depth first, what it imports. Returns its index. */
  async #add(importPath: string, { name, files }: Selected, found: PackageDir): Promise<number> {
    const index = this.#packages.length;
    const imports: Record<string, number> = {};
    this.#ahead(files, found);
    this.#packages.push({
      importPath,
      name,
      own: found.own,
      version: languageOf(found),
      ...(found.embeds !== "" && { module: found.embeds }),
      files: files.map((file) => this.#file(file, found)),
      imports,
    });
    for (const one of files.flatMap((f) => f.scanned.imports)) {
      const imported = imports[one.path] ?? (await this.#tryImport(one, found));
      if (imported !== undefined) imports[one.path] = imported;
    }
    return index;
  }

  #file({ name, text, path: file, scanned }: SelectedFile, found: PackageDir): Package["files"][number] {
    if (scanned.embeds.length === 0) return { name, text };
    return { name, text, embedded: embeddedFiles(this.#disk, file, scanned.embeds, this.#by(found).show) };
  }

  /**
   * Looks up all imports at once, and what the packages import in turn: modules are fetched side by side. What fails here fails
   * again, and is told, when its turn comes.
   */
  #ahead(files: readonly SelectedFile[], importer: PackageDir): void {
    if (Object.keys(this.#module?.deps ?? {}).length === 0) return;
    for (const wanted of files.flatMap((file) => file.scanned.imports)) {
      if (this.#resolved.has(wanted)) continue;
      const deeper = async (): Promise<void> => {
        const found = await this.#resolve(wanted, importer);
        if (!this.#selected.has(keyOf(found, wanted))) this.#ahead((await this.#selectOnce(found, wanted)).files, found);
      };
      deeper().catch(() => undefined);
    }
  }

  #resolve(wanted: Import, importer: PackageDir): Promise<PackageDir> {
    const known = this.#resolved.get(wanted) ?? resolveImport(this.#resolving, wanted, importer);
    this.#resolved.set(wanted, known);
    return known;
  }

  #selectOnce(found: PackageDir, wanted: Import): Promise<Selected> {
    const key = keyOf(found, wanted);
    const known = this.#selected.get(key) ?? this.#select(found, wanted.package);
    this.#selected.set(key, known);
    return known;
  }

  /** Undefined, and a finding more, when the import leads nowhere. */
  async #tryImport(wanted: Import, importer: PackageDir): Promise<number | undefined> {
    try {
      return await this.#import(wanted, importer);
    } catch (error) {
      if (!(error instanceof UserError) || error.exit !== 2) throw error;
      this.#wrong.push(...error.diagnostics);
      return undefined;
    }
  }

  async #import(wanted: Import, importer: PackageDir): Promise<number> {
    const found = await this.#resolve(wanted, importer);
    const key = keyOf(found, wanted);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const selected = await this.#selectOnce(found, wanted);
    if (selected.files.length === 0) throw noFiles(wanted, selected);
    this.#indexes.set(key, this.#packages.length);
    // Two major versions of a module are two modules.
    const location =
      found.module && !found.own && found.root
        ? `${found.dependency?.importPath ?? wanted.location}@${found.module.major}`
        : wanted.location;
    const importPath = wanted.package === path.posix.basename(wanted.location) ? location : `${location}:${wanted.package}`;
    return this.#add(importPath, selected, found);
  }

  get #resolving(): Resolving {
    const { library, modules, cwd } = this.#options;
    const read = (root: string) => readModule(this.#disk, root, cwd, this.#evaluator, false);
    const readOnce = (root: string) => this.#modules.get(root) ?? this.#modules.set(root, read(root)).get(root) ?? read(root);
    return { disk: this.#disk, main: this.#module, library, modules, readModule: readOnce };
  }

  #mainPath(dir: string, name: string): string {
    if (!this.#module?.path) return name === "" ? "_" : `:${name}`;
    const rel = path.relative(this.#module.root, dir).split(path.sep).join("/");
    const full = rel === "" ? this.#module.path : `${this.#module.path}/${rel}`;
    return name === "" || path.posix.basename(full) === name ? full : `${full}:${name}`;
  }
}

/** One package: a directory may hold several. */
function keyOf(found: PackageDir, wanted: Import): string {
  return `${found.dirs[0]}:${wanted.package}`;
}
