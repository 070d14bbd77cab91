// Makes a package ready to be imported: one of the library is, one of a module gets a line in the deps of cue.mod/module.cue.
import { resolve } from "node:path";
import { findModuleAt } from "../../runtime/cue/index.ts";
import { type ModuleVersion, nameOf, splitModule } from "../../runtime/modules/index.ts";
import { getModules, noModule } from "../modules/modules.ts";
import { withReader } from "./doc.ts";
import type { CatalogRequest } from "./search.ts";
import { moduleOf, packagesIn, showPackage } from "./show.ts";

export interface AddRequest extends CatalogRequest {
  readonly what: string;
  /** A directory of the user's module. */
  readonly dir: string;
}

export interface Added {
  /** What can be imported now: the package, or all packages of a module that has none of its own name. */
  readonly imports: readonly string[];
  /** The module that was added. */
  readonly added?: ModuleVersion;
  /** All that deps has now. */
  readonly modules: readonly ModuleVersion[];
  /** There is a cue.mod/module.cue, which dagger needs for modules only. */
  readonly hasModule: boolean;
}

/** Throws UserError (2) when there is no such package, or no module to add one to; (3) of a registry. */
export async function addPackage(request: AddRequest): Promise<Added> {
  const { what, cwd, dir } = request;
  const hasModule = await withReader(request, async ({ evaluator }) => {
    const found = await findModuleAt(resolve(cwd, dir), cwd, evaluator);
    return found?.file !== undefined;
  });
  if (isOfLibrary(what)) return { imports: [(await showPackage(request)).importPath], modules: [], hasModule };
  if (!hasModule) throw noModule(resolve(cwd, dir));
  const { module, packages } = await withReader(request, async ({ modules }) => {
    const one = await moduleOf(what, modules);
    return { module: one, packages: packagesIn(await modules.resolver.directory(one), one.path) };
  });
  const { path } = splitModule(what);
  // Told before anything is written.
  if (path !== module.path && !packages.includes(path)) await showPackage(request);
  const modules = await getModules({ ...request, dir, modules: [`${module.path}@${module.version}`] });
  const now = modules.find((one) => nameOf(one) === nameOf(module)) ?? module;
  return { imports: packages.includes(path) ? [path] : packages, added: now, modules, hasModule };
}

function isOfLibrary(what: string): boolean {
  return !/^[^/]*\./.test(what) || what.startsWith("cuellb.dev/");
}
