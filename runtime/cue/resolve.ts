// Import paths to directories, as CUE resolves them: what is vendored in cue.mod, the main module, the modules it depends on; then
// our own packages.
import path from "node:path";
import { inputError, type Position } from "../../compiler/diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { Module, ModuleResolver, PackageDir } from "./layout.ts";
import type { Import } from "./protocol.ts";

/** Our own packages are imported below this path. */
const LIBRARY = "cuellb.dev";
/** In the order in which CUE merges them. */
const VENDORED = ["gen", "pkg", "usr"] as const;

export interface Resolving {
  readonly disk: Disk;
  /** The main module. */
  readonly main: Module | undefined;
  /** Directory of our own packages. */
  readonly library: string;
  /** Packages of other modules; without it, only those that a directory stands in for. */
  readonly modules?: ModuleResolver | undefined;
  /** Reads the module in a directory. */
  readonly readModule: (root: string) => Promise<Module>;
}

/** Throws UserError (2) with the place of the import when there is no such package, or more than one. */
export async function resolveImport(by: Resolving, wanted: Import, importer: PackageDir): Promise<PackageDir> {
  const at = wanted.at;
  if (wanted.wrong) {
    throw inputError({
      code: "cue-import",
      message: `Import path ${JSON.stringify(wanted.path)} ${wanted.wrong}`,
      at: [at],
      hint: by.main?.path
        ? `Packages of this module start with ${JSON.stringify(by.main.path)}`
        : "Write it as host/path, or host/path:package",
    });
  }
  const local = [...vendored(by, wanted), ...inMain(by, wanted, importer.module ?? by.main)];
  const found = [...local, ...(await inDependencies(by, wanted, importer, local.length > 0))];
  if (found.length > 1) throw ambiguous(wanted, found, at);
  const one = found[0] ?? inLibrary(by, wanted);
  if (!one) throw notFound(by, wanted, at);
  return one;
}

function vendored(by: Resolving, wanted: Import): PackageDir[] {
  const { main, disk } = by;
  if (!main) return [];
  const dirs = VENDORED.map((kind) => path.join(main.root, "cue.mod", kind, wanted.location)).filter((dir) => holdsCue(disk, dir));
  return dirs.length > 0 ? [{ dirs, own: false, module: main, embeds: "local" }] : [];
}

function inMain(by: Resolving, wanted: Import, from: Module | undefined): PackageDir[] {
  const { main } = by;
  if (!main || !from || main.path === "" || !accepts(main, wanted, from)) return [];
  return inModule(by, wanted, main, true);
}

function inModule(by: Resolving, wanted: Import, module: Module, own: boolean): PackageDir[] {
  const dir = path.join(module.root, wanted.location.slice(module.path.length));
  if (!holdsCue(by.disk, dir) || inNestedModule(by.disk, dir, module.root)) return [];
  return [{ dirs: [dir], own, module, embeds: `${module.path}@${module.major}`, root: module.root }];
}

async function inDependencies(by: Resolving, wanted: Import, importer: PackageDir, found: boolean): Promise<PackageDir[]> {
  const { main, modules, disk } = by;
  if (!main) return [];
  if (!modules) return (await replaced(by, wanted, importer.module ?? main)).flatMap((module) => inModule(by, wanted, module, false));
  // The library is served by dagger itself unless the user asks for a version of it.
  const rootsOnly = found || isBelow(wanted.location, LIBRARY);
  const from = importer.dependency && { from: importer.dependency.module };
  const major = wanted.version === "" ? {} : { major: wanted.version };
  const answers = await modules.find({ main, path: wanted.location, at: wanted.at, rootsOnly, ...major, ...from });
  return answers.map((dependency) => {
    for (const file of dependency.watch ?? []) if (disk.kind(file) === "file") disk.read(file);
    const [{ path: location, version }, { dir, root, language }] = [dependency.module, dependency];
    const major = version.split(".", 1)[0] ?? "";
    const module: Module = { root, path: location, major, version: language, deps: {}, defaults: {} };
    return { dirs: [dir], own: false, module, root, dependency, embeds: `${location}@${major}` };
  });
}

/** The path and major version of an import could be those of a package in the module. */
function accepts(module: Module, wanted: Import, from: Module): boolean {
  if (!isBelow(wanted.location, module.path)) return false;
  return (wanted.version || majorFor(module.path, from) || module.major) === module.major;
}

/** The major version that imports of a module path mean when they do not say: the default, or the only one. */
function majorFor(modulePath: string, from: Module): string | undefined {
  const said = from.defaults[modulePath];
  if (said) return said;
  const majors = Object.keys(from.deps).filter((dep) => dep.startsWith(`${modulePath}@`));
  return majors.length === 1 ? majors[0]?.slice(modulePath.length + 1) : undefined;
}

/** Dependencies of the main module that a directory stands in for. */
async function replaced(by: Resolving, wanted: Import, from: Module): Promise<Module[]> {
  const main = by.main as Module;
  const found: Module[] = [];
  for (const [qualified, dep] of Object.entries(main.deps)) {
    if (!isDirectory(dep.replaceWith)) continue;
    const at = qualified.lastIndexOf("@");
    const [location, major] = [qualified.slice(0, at), qualified.slice(at + 1)];
    if (!isBelow(wanted.location, location) || (wanted.version || majorFor(location, from)) !== major) continue;
    const module = await by.readModule(path.resolve(main.root, dep.replaceWith));
    found.push({ ...module, path: location, major });
  }
  return found;
}

/** Throws UserError (2) when a directory stands in for a module that is not the one it holds. */
export async function checkReplaced(by: Resolving): Promise<void> {
  for (const [qualified, dep] of Object.entries(by.main?.deps ?? {})) {
    if (!by.main || !isDirectory(dep.replaceWith)) continue;
    const root = path.resolve(by.main.root, dep.replaceWith);
    const module = await by.readModule(root);
    if (module.path !== "" && `${module.path}@${module.major}` !== qualified) throw otherModule(dep, root, module, qualified);
  }
}

/** As CUE tells directories from modules in `replaceWith`. */
function isDirectory(replaceWith: string): boolean {
  return replaceWith.startsWith(".") || replaceWith.startsWith("/");
}

function inNestedModule(disk: Disk, dir: string, root: string): boolean {
  for (let up = dir; up !== root && up !== path.dirname(up); up = path.dirname(up)) {
    if (disk.kind(path.join(up, "cue.mod", "module.cue")) !== "none") return true;
  }
  return false;
}

function holdsCue(disk: Disk, dir: string): boolean {
  return disk.kind(dir) === "directory" && disk.cueFiles(dir).length > 0;
}

/** `cuellb.dev/op` is `op` below the library; any other path lies there under its full name. */
function inLibrary(by: Resolving, wanted: Import): PackageDir | undefined {
  const { location } = wanted;
  const dir = path.join(by.library, isBelow(location, LIBRARY) ? location.slice(LIBRARY.length) : location);
  if (by.disk.kind(dir) !== "directory") return undefined;
  return { dirs: [dir], own: false, embeds: "", shownAs: (file) => `${location}/${path.basename(file)}` };
}

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function notFound(by: Resolving, wanted: Import, at: Position): Error {
  const shown = wanted.version ? `${wanted.location}@${wanted.version}` : wanted.location;
  const { main } = by;
  let hint = "Check the spelling, or add its module: dagger mod get MODULE@latest";
  if (isBelow(wanted.location, LIBRARY)) hint = noSuchPackage(by, wanted.location.slice(LIBRARY.length + 1));
  else if (!main) hint = "There is no cue.mod above this directory: run `dagger mod init`, then `dagger mod get MODULE@latest`";
  else if (main.path !== "" && isBelow(wanted.location, main.path)) {
    hint =
      wanted.version && wanted.version !== main.major
        ? `This module is ${main.path}@${main.major}: leave the version out`
        : `Check the spelling: ${displayDir(main, wanted)} of this module holds no CUE files`;
  }
  return inputError({ code: "cue-import", message: `Cannot find package ${JSON.stringify(shown)}`, at: [at], hint });
}

/** The package that is probably meant, and how to look for one. */
function noSuchPackage({ disk, library }: Resolving, name: string): string {
  const [word = ""] = name.split("/");
  const near = disk.entries(library).filter((one) => !one.includes(".") && beginsAlike(one, word));
  const search = `look for packages with \`dagger catalog search ${word}\``;
  if (near.length > 0) return `Did you mean ${near.map((one) => JSON.stringify(`${LIBRARY}/${one}`)).join(" or ")}? Else ${search}`;
  return `Check the spelling, or ${search}`;
}

/** Half of the longer word, and two letters at least. */
function beginsAlike(a: string, b: string): boolean {
  const half = Math.max(2, Math.ceil(Math.max(a.length, b.length) / 2));
  return a.slice(0, half) === b.slice(0, half);
}

function displayDir(main: Module, wanted: Import): string {
  return wanted.location.slice(main.path.length + 1) || "the root";
}

function ambiguous(wanted: Import, found: readonly PackageDir[], at: Position): Error {
  const places = found.map(({ dirs, dependency }) =>
    dependency ? `${dependency.module.path}@${dependency.module.version}` : dirs.join(", "),
  );
  return inputError({
    code: "ambiguous-import",
    message: `Package ${JSON.stringify(wanted.location)} is there more than once: in ${places.join(" and in ")}`,
    at: [at],
    hint: "Take one of them out: of deps in cue.mod/module.cue, or of cue.mod/pkg",
  });
}

function otherModule(dep: { readonly at: Position }, root: string, module: Module, qualified: string): Error {
  return inputError({
    code: "cue-module",
    message: `The directory that replaces ${qualified}, ${root}, holds the module ${module.path}@${module.major}`,
    at: [dep.at],
    hint: "Name another directory in replaceWith, or give its cue.mod/module.cue this path",
  });
}
