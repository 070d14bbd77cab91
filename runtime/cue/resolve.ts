// Import paths to directories: the main module, what is vendored in cue.mod, modules it depends on, then our own packages.
import path from "node:path";
import { inputError, type Position } from "../../compiler/diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { FoundPackage, Module, ModuleResolver, PackageDir } from "./layout.ts";

/** Our own packages are imported below this path. */
const LIBRARY = "cuellb.dev";
/** In the order in which CUE merges them. */
const VENDORED = ["pkg", "gen", "usr"] as const;

export interface ImportPath {
  /** Without version and package name. */
  readonly path: string;
  /** Name of the package. */
  readonly name: string;
  /** Major version, where the import has one. */
  readonly major?: string;
}

/** `a.b/c@v1:d` is package d in a.b/c. */
export function parseImportPath(spec: string): ImportPath {
  const colon = spec.lastIndexOf(":");
  const written = colon < 0 ? spec : spec.slice(0, colon);
  const major = /@(v\d+[^/]*)$/.exec(written)?.[1];
  const location = major === undefined ? written : written.slice(0, -major.length - 1);
  const last = path.posix.basename(location);
  return { path: location, name: colon < 0 ? last : spec.slice(colon + 1), ...(major !== undefined && { major }) };
}

export interface Where {
  readonly module: Module | undefined;
  /** Packages of other modules. */
  readonly modules: ModuleResolver | undefined;
  readonly library: string;
  /** The module with the import, when that is a dependency. */
  readonly from: FoundPackage["module"] | undefined;
  readonly at: Position;
}

/** Throws UserError with the place of the import: 2 when there is no such package, 3 when a registry that may have it cannot be asked. */
export async function resolveImport(disk: Disk, wanted: ImportPath, where: Where): Promise<PackageDir> {
  const { module, library, at } = where;
  const local = [inModule(disk, wanted, module), vendored(disk, wanted, module)].filter((found) => found !== undefined);
  const ours = isBelow(wanted.path, LIBRARY);
  // The library is served by dagger itself unless the user asks for a version of it.
  const found = await inDependencies(disk, wanted, where, ours || local.length > 0);
  if (local.length + found.length > 1) {
    const [first, ...rest] = [...local, ...found].filter((candidate) =>
      candidate.dirs.some((dir) => disk.kind(dir) === "directory" && disk.cueFiles(dir).length > 0),
    );
    if (first !== undefined && rest.length > 0) throw ambiguous(wanted, [first, ...rest], at);
    if (first !== undefined) return first;
  }
  const chosen = local[0] ?? found[0] ?? inLibrary(disk, wanted, library);
  if (chosen) return chosen;
  throw inputError({
    code: "cue-import",
    message: `Cannot find package ${JSON.stringify(wanted.path)}`,
    at: [at],
    hint: ours
      ? "Check the spelling: there is no such package in this version of the library"
      : module
        ? "Check the spelling, or add its module: dagger mod get MODULE@latest"
        : "There is no cue.mod above this directory: run `dagger mod init`, then `dagger mod get MODULE@latest`",
  });
}

async function inDependencies(
  disk: Disk,
  { path: wanted, major }: ImportPath,
  { module, modules, from, at }: Where,
  rootsOnly: boolean,
): Promise<PackageDir[]> {
  if (module === undefined || modules === undefined) return [];
  const asked = { main: module, path: wanted, at, rootsOnly, ...(major !== undefined && { major }), ...(from && { from }) };
  return (await modules.find(asked)).map((dependency) => {
    for (const file of dependency.watch ?? []) if (disk.kind(file) === "file") disk.read(file);
    return { dirs: [dependency.dir], own: false, root: dependency.root, dependency };
  });
}

function ambiguous(wanted: ImportPath, found: readonly PackageDir[], at: Position): Error {
  const places = found.map(({ dirs, dependency }) =>
    dependency ? `${dependency.module.path}@${dependency.module.version}` : (dirs[0] ?? ""),
  );
  return inputError({
    code: "ambiguous-import",
    message: `Package ${JSON.stringify(wanted.path)} is there more than once: in ${places.join(" and in ")}`,
    at: [at],
    hint: "Take one of them out: of deps in cue.mod/module.cue, or of cue.mod/pkg",
  });
}

function inModule(disk: Disk, wanted: ImportPath, module: Module | undefined): PackageDir | undefined {
  if (!module || module.path === "" || !isBelow(wanted.path, module.path)) return undefined;
  const dir = path.join(module.root, wanted.path.slice(module.path.length));
  return disk.kind(dir) === "directory" ? { dirs: [dir], own: true, root: module.root } : undefined;
}

function vendored(disk: Disk, wanted: ImportPath, module: Module | undefined): PackageDir | undefined {
  if (!module) return undefined;
  const dirs = VENDORED.map((kind) => path.join(module.root, "cue.mod", kind, wanted.path)).filter((dir) => disk.kind(dir) === "directory");
  return dirs.length > 0 ? { dirs, own: false } : undefined;
}

/** `cuellb.dev/op` is `op` below the library; any other path lies there under its full name. */
function inLibrary(disk: Disk, wanted: ImportPath, library: string): PackageDir | undefined {
  const dir = path.join(library, isBelow(wanted.path, LIBRARY) ? wanted.path.slice(LIBRARY.length) : wanted.path);
  if (disk.kind(dir) !== "directory") return undefined;
  return { dirs: [dir], own: false, shownAs: (file) => `${wanted.path}/${path.basename(file)}` };
}

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}
