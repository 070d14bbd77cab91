// Import paths to directories: the main module, what is vendored in cue.mod, then our own packages.
import path from "node:path";
import { inputError, type Position } from "../../compiler/diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { Module, PackageDir } from "./layout.ts";

/** Our own packages are imported below this path. */
const LIBRARY = "cuellb.dev";
/** In the order in which CUE merges them. */
const VENDORED = ["pkg", "gen", "usr"] as const;

export interface ImportPath {
  /** Without version and package name. */
  readonly path: string;
  /** Name of the package. */
  readonly name: string;
}

/** `a.b/c@v1:d` is package d in a.b/c. */
export function parseImportPath(spec: string): ImportPath {
  const colon = spec.lastIndexOf(":");
  const location = (colon < 0 ? spec : spec.slice(0, colon)).replace(/@v\d+[^/]*$/, "");
  const last = path.posix.basename(location);
  return { path: location, name: colon < 0 ? last : spec.slice(colon + 1) };
}

/** Throws UserError (2) with the place of the import when there is no such package. */
export function resolveImport(disk: Disk, wanted: ImportPath, module: Module | undefined, library: string, at: Position): PackageDir {
  const found = inModule(disk, wanted, module) ?? vendored(disk, wanted, module) ?? inLibrary(disk, wanted, library);
  if (found) return found;
  const ours = wanted.path === LIBRARY || wanted.path.startsWith(`${LIBRARY}/`);
  throw inputError({
    code: "cue-import",
    message: `cannot find package ${JSON.stringify(wanted.path)}`,
    at: [at],
    hint: ours
      ? "check the spelling: there is no such package in this version of the library"
      : module
        ? "check the spelling, or put the package below cue.mod/pkg"
        : "there is no cue.mod above this directory: run `cue mod init`, then put the package below cue.mod/pkg",
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
