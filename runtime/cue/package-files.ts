// The files of one package, without what it imports: in a directory, or by its import path.
import path from "node:path";
import { inputError, UserError } from "../../compiler/diagnostic.ts";
import { Disk } from "./disk.ts";
import type { Evaluator } from "./evaluate.ts";
import { displayName, readCueFile } from "./files.ts";
import type { PackageDir } from "./layout.ts";
import { findModule, readModule } from "./module.ts";
import { noFiles, noPackage, nothingThere } from "./no-package.ts";
import type { File } from "./protocol.ts";
import { resolveImport } from "./resolve.ts";
import { languageOf, type Selected, type Selection, selectFile, selectPackage } from "./select.ts";
import type { ReadOptions } from "./source.ts";

export interface PackageFiles {
  /** Without a name of its own; empty when nobody can import it. */
  readonly importPath: string;
  /** Language version of its module; empty means the newest. */
  readonly version: string;
  readonly files: readonly File[];
}

export type PackagePlace = { readonly path: string } | { readonly importPath: string };

/** Imports are looked up for the module that the working directory is in. Throws UserError (2), and (3) of a registry. */
export function readPackageFiles(
  evaluator: Evaluator,
  place: PackagePlace,
  options: Pick<ReadOptions, "cwd" | "library" | "modules">,
): Promise<PackageFiles> {
  const disk = new Disk();
  const by = (found: PackageDir): Selection => ({
    evaluator,
    disk,
    tags: [],
    show: (file) => (found.shownAs ? found.shownAs(file) : displayName(file, options.cwd)),
  });
  return "path" in place
    ? atPath(evaluator, disk, by, path.resolve(options.cwd, place.path), options.cwd)
    : imported(evaluator, disk, by, place.importPath, options);
}

async function atPath(
  evaluator: Evaluator,
  disk: Disk,
  by: (found: PackageDir) => Selection,
  target: string,
  cwd: string,
): Promise<PackageFiles> {
  const kind = disk.kind(target);
  if (kind === "none") throw nothingThere(target, cwd);
  const dir = kind === "directory" ? target : path.dirname(target);
  const module = await findModule(disk, dir, cwd, evaluator);
  const found: PackageDir = { dirs: [dir], own: true, embeds: "", ...(module && { root: module.root, module }) };
  const selected =
    kind === "directory"
      ? await selectPackage(by(found), found)
      : await selectFile(by(found), readCueFile(disk, target, displayName(target, cwd)), found);
  if (selected.files.length === 0) throw noPackage(target, cwd, selected);
  const importPath = module?.path && kind === "directory" ? path.posix.join(module.path, path.relative(module.root, dir)) : "";
  return packageFiles(importPath, selected, found);
}

async function imported(
  evaluator: Evaluator,
  disk: Disk,
  by: (found: PackageDir) => Selection,
  importPath: string,
  { cwd, library, modules }: Pick<ReadOptions, "cwd" | "library" | "modules">,
): Promise<PackageFiles> {
  const main = await findModule(disk, cwd, cwd, evaluator);
  const read = (root: string) => readModule(disk, root, cwd, evaluator, false);
  const importer: PackageDir = { dirs: [cwd], own: true, embeds: "", ...(main && { root: main.root, module: main }) };
  return withoutPlaces(async () => {
    // What an import path means is for CUE to say.
    const [scanned] = await evaluator.scan([{ name: "import", text: `import ${JSON.stringify(importPath)}\n` }]);
    const [wanted] = scanned?.imports ?? [];
    if (wanted === undefined) throw notOurs(importPath);
    const found = await resolveImport({ disk, main, library, modules, readModule: read }, wanted, importer);
    const selected = await selectPackage(by(found), found, wanted.package);
    if (selected.files.length === 0) throw noFiles(wanted, selected);
    return packageFiles(importPath, selected, found);
  });
}

/** The import stands in no file that a user could look at. */
async function withoutPlaces<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const told = error.diagnostics.map((one) => ({ ...one, at: one.at.filter(({ file }) => file !== "import") }));
    throw new UserError(error.exit, told, { cause: error });
  }
}

function packageFiles(importPath: string, { files }: Selected, found: PackageDir): PackageFiles {
  return { importPath, version: languageOf(found), files: files.map(({ name, text }) => ({ name, text })) };
}

/** Import paths without a dot in their first element belong to CUE itself. */
function notOurs(importPath: string): Error {
  return inputError({
    code: "cue-import",
    message: `The library has no package ${JSON.stringify(importPath)}`,
    at: [],
    hint: "`dagger catalog search` lists its packages. Those of CUE itself are described at https://pkg.go.dev/cuelang.org/go/pkg",
  });
}
