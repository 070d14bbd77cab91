// Reading an instance: its files and those of every package it imports, into memory.

import path from "node:path";
import { type Diagnostic, inputError, type Position, UserError } from "../../compiler/diagnostic.ts";
import type { Cache } from "./cache.ts";
import { Disk } from "./disk.ts";
import type { Evaluator } from "./evaluate.ts";
import { displayName, filesIn, readCueFile } from "./files.ts";
import type { CueFile, FoundPackage, Module, ModuleResolver, PackageDir, Source } from "./layout.ts";
import { findModule } from "./module.ts";
import type { Package } from "./protocol.ts";
import { recallSource, rememberSource } from "./recall.ts";
import { type ImportPath, parseImportPath, resolveImport } from "./resolve.ts";
import { type SelectedFile, selectPackage } from "./select.ts";

export interface ReadOptions {
  /** Absolute working directory: files below it are shown relative to it. */
  readonly cwd: string;
  /** Absolute directory of our own packages: `cuellb.dev/op` is `op` below it. */
  readonly library: string;
  /** Packages of modules that the main module depends on; without it there are none. */
  readonly modules?: ModuleResolver | undefined;
  /** Tags for `@if`. */
  readonly tags?: readonly string[];
  /** Remembers what was read: when nothing of it has changed, a later run reads it again without asking CUE. */
  readonly cache?: Cache | undefined;
}

/** Reads the instance in a directory, or in one file. Throws UserError (2). */
export async function readSource(evaluator: Evaluator, dirOrFile: string, options: ReadOptions): Promise<Source> {
  const target = path.resolve(options.cwd, dirOrFile);
  const { cache, modules, ...others } = options;
  const asked = { ...others, ...(modules && { modules: modules.identity }) };
  const known = cache && recallSource(cache, { target, ...asked });
  if (known) return known;
  const disk = new Disk();
  const source = await new Reader(evaluator, disk, options).read(target);
  if (cache) rememberSource(cache, { target, ...asked }, source, disk);
  return source;
}

/** Reads each package once, however many packages import it. */
class Reader {
  readonly #evaluator: Evaluator;
  readonly #disk: Disk;
  readonly #options: ReadOptions;
  readonly #packages: Package[] = [];
  readonly #indexes = new Map<string, number>();
  /** Imports that lead nowhere: all of them are reported together. */
  readonly #wrong: Diagnostic[] = [];
  #module: Module | undefined;

  constructor(evaluator: Evaluator, disk: Disk, options: ReadOptions) {
    this.#evaluator = evaluator;
    this.#disk = disk;
    this.#options = options;
  }

  async read(target: string): Promise<Source> {
    const { cwd } = this.#options;
    const kind = this.#disk.kind(target);
    if (kind === "none") throw missing(target, cwd);
    const isFile = kind !== "directory";
    const dir = isFile ? path.dirname(target) : target;
    this.#module = await findModule(this.#disk, dir, cwd, this.#evaluator);
    const found: PackageDir = { dirs: [dir], own: true, ...(this.#module && { root: this.#module.root }) };
    const show = (file: string) => displayName(file, cwd);
    const files = isFile ? [readCueFile(this.#disk, target, show(target))] : filesIn(this.#disk, found, show);
    if (files.length === 0) throw empty(target, cwd);
    const selected = await this.#select(files, found);
    const name = selected.name;
    if (selected.files.length === 0) throw empty(target, cwd);
    await this.#add({ importPath: this.#mainPath(dir, name), name, own: true, files: selected.files });
    if (this.#wrong.length > 0) throw inputError(...this.#wrong);
    return { dir, ...(this.#module && { moduleRoot: this.#module.root }), packages: this.#packages };
  }

  #select(files: readonly CueFile[], found: PackageDir, name?: string) {
    const version = this.#version(found);
    return selectPackage(this.#evaluator, files, { version, tags: found.own ? (this.#options.tags ?? []) : [] }, found, name);
  }

  /** Language version of a package's module. */
  #version({ own, dependency }: { readonly own: boolean; readonly dependency?: FoundPackage }): string {
    return own ? (this.#module?.version ?? "") : (dependency?.language ?? "");
  }

  /** Adds a package and, depth first, what it imports. Returns its index. */
  async #add(
    p: Omit<Package, "version" | "imports" | "files"> & { files: readonly SelectedFile[]; dependency?: FoundPackage },
  ): Promise<number> {
    const index = this.#packages.length;
    const imports: Record<string, number> = {};
    this.#packages.push({
      importPath: p.importPath,
      name: p.name,
      own: p.own,
      version: this.#version(p),
      files: p.files.map(({ file }) => ({ name: file.name, text: file.text })),
      imports,
    });
    for (const { path: spec, at } of p.files.flatMap((f) => f.imports)) {
      const imported = imports[spec] ?? (await this.#tryImport(spec, p.dependency?.module, at));
      if (imported !== undefined) imports[spec] = imported;
    }
    return index;
  }

  /** Undefined, and a finding more, when the import leads nowhere. */
  async #tryImport(spec: string, from: FoundPackage["module"] | undefined, at: Position): Promise<number | undefined> {
    try {
      return await this.#import(parseImportPath(spec), from, at);
    } catch (error) {
      // What is wrong with the environment ends the reading: other imports would only say the same.
      if (!(error instanceof UserError) || error.exit !== 2) throw error;
      this.#wrong.push(...error.diagnostics);
      return undefined;
    }
  }

  async #import(wanted: ImportPath, from: FoundPackage["module"] | undefined, at: Position): Promise<number> {
    const { modules, library, cwd } = this.#options;
    const found = await resolveImport(this.#disk, wanted, { module: this.#module, modules, library, from, at });
    const { dependency } = found;
    // Two major versions of a module are two modules.
    const location = dependency ? `${dependency.importPath}@${dependency.module.version.split(".", 1)[0]}` : wanted.path;
    const canonical = `${location}:${wanted.name}`;
    const known = this.#indexes.get(canonical);
    if (known !== undefined) return known;
    const show = (file: string) => (found.shownAs ? found.shownAs(file) : displayName(file, cwd));
    const selected = await this.#select(filesIn(this.#disk, found, show), found, wanted.name);
    if (selected.files.length === 0) throw noFiles(wanted, at);
    this.#indexes.set(canonical, this.#packages.length);
    const importPath = wanted.name === path.posix.basename(wanted.path) ? location : canonical;
    return this.#add({ importPath, name: wanted.name, own: found.own, files: selected.files, ...(dependency && { dependency }) });
  }

  #mainPath(dir: string, name: string): string {
    if (!this.#module?.path) return name === "" ? "_" : `:${name}`;
    const rel = path.relative(this.#module.root, dir).split(path.sep).join("/");
    const full = rel === "" ? this.#module.path : `${this.#module.path}/${rel}`;
    return name === "" || path.posix.basename(full) === name ? full : `${full}:${name}`;
  }
}

function missing(target: string, cwd: string): Error {
  return inputError({
    code: "cue-no-files",
    message: `${displayName(target, cwd)} does not exist`,
    at: [],
    hint: "Give a directory with CUE files, or one CUE file",
  });
}

function empty(target: string, cwd: string): Error {
  return inputError({
    code: "cue-no-files",
    message: `No CUE files in ${displayName(target, cwd)}`,
    at: [],
    hint: "Files named _*, .*, *_test.cue and *_tool.cue are not part of a package",
  });
}

function noFiles(wanted: ImportPath, at: Position): Error {
  return inputError({
    code: "cue-import",
    message: `Package ${JSON.stringify(wanted.path)} has no files of package ${wanted.name}`,
    at: [at],
    hint: `When the package has another name, write it after a colon: ${JSON.stringify(`${wanted.path}:NAME`)}`,
  });
}
