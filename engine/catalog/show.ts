// One package, as a person chooses by: what it gives, what it needs, where it comes from. Modules are got from their registry for it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { nearest, UserError } from "../../compiler/index.ts";
import type { DocField } from "../../runtime/cue/index.ts";
import { type Modules, type ModuleVersion, majorOf, nameOf, pathProblem, splitModule } from "../../runtime/modules/index.ts";
import { chooseVersion, isOffline } from "../modules/modules.ts";
import { type DescribedDefinition, describeDefinition } from "./describe.ts";
import { documentWith, type PackageComment, type PackageDoc, type Reader, withReader } from "./doc.ts";
import { type CatalogRequest, libraryNames, summaryOf } from "./search.ts";

/** Of a module without a package in its root directory, what a comment says is empty. */
export interface CatalogPage extends PackageComment {
  readonly summary: string;
  readonly definitions: readonly DescribedDefinition[];
  /** Not there for packages that need no `deps`. */
  readonly module?: ShownModule;
}

export interface ShownModule extends ModuleVersion {
  /** All of them, oldest first; empty when no registry was asked. */
  readonly versions: readonly string[];
  /** Import paths of its packages. */
  readonly packages: readonly string[];
}

/** `what`: `go`, `./ci`, an import path, a module, these two also with `@VERSION`. Throws UserError (2) when there is none, (3) of a registry. */
export function showPackage(request: CatalogRequest & { readonly what: string }): Promise<CatalogPage> {
  const { what } = request;
  return withReader(request, async (reader) => {
    const { path, version } = splitModule(what);
    const isModule = path.includes("/") && pathProblem(path) === undefined && !path.startsWith("cuellb.dev/");
    if (!isModule) return pageOf(await inLibrary(reader, what));
    const known = version === undefined ? await documentWith(reader, path).catch(unlessMissing) : undefined;
    if (known !== undefined) return pageOf(known);
    return showModule(reader, what, isOffline(request));
  });
}

/** The module that a package lies in, of the longest path that a registry knows. Throws UserError (2, 3). */
export async function moduleOf(what: string, modules: Modules): Promise<ModuleVersion> {
  const { path, version = "latest" } = splitModule(what);
  for (let prefix = path; ; prefix = prefix.slice(0, prefix.lastIndexOf("/"))) {
    try {
      const module = await chooseVersion(`${prefix}@${version}`, modules);
      // A version that somebody wrote is taken at its word; whether it is there is for the registry to say.
      await (await modules.registry()).published(module);
      return module;
    } catch (error) {
      if (!isCode(error, "module-not-found")) throw error;
      if (prefix.includes("/")) continue;
      throw new UserError(2, [
        {
          code: "module-not-found",
          message: `No registry has a module with the package ${path}${version === "latest" ? "" : ` at ${version}`}`,
          at: [],
          hint: "Check the path and CUE_REGISTRY; `dagger catalog search WORD` looks for packages",
        },
      ]);
    }
  }
}

/** Import paths of the packages in a module's directory. */
export function packagesIn(dir: string, modulePath: string): readonly string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  const here = entries.some((entry) => entry.isFile() && /^[^._].*\.cue$/.test(entry.name)) ? [modulePath] : [];
  const below = entries.filter((entry) => entry.isDirectory() && !/^([._]|cue\.mod$)/.test(entry.name));
  return [...here, ...below.flatMap(({ name }) => packagesIn(join(dir, name), `${modulePath}/${name}`))].sort();
}

async function showModule(reader: Reader, what: string, offline: boolean): Promise<CatalogPage> {
  const { modules } = reader;
  const { path, version } = splitModule(what);
  // Without a network, only a whole name can be found in the cache.
  const module = offline && version !== undefined ? { path, version } : await moduleOf(what, modules);
  const dir = await modules.resolver.directory(module);
  const versions = offline ? [] : await (await modules.registry()).versions(module.path, majorOf(module.version));
  const shown: ShownModule = { ...module, versions, packages: packagesIn(dir, module.path) };
  if (!shown.packages.includes(path)) {
    if (path === module.path) return { importPath: "", summary: "", doc: "", example: "", tags: [], definitions: [], module: shown };
    throw new UserError(2, [
      {
        code: "cue-import",
        message: `The module ${nameOf(module)} has no package ${path} in ${module.version}`,
        at: [],
        hint: shown.packages.length === 0 ? "It has none at all" : `It has ${shown.packages.join(", ")}`,
      },
    ]);
  }
  const doc = await documentWith(reader, join(dir, path.slice(module.path.length)));
  return { ...pageOf({ ...doc, importPath: path }), module: shown };
}

function pageOf(doc: PackageDoc): CatalogPage {
  const isDefinition = ({ name }: DocField): boolean => name.startsWith("#");
  const { importPath, example, tags } = doc;
  const definitions = doc.fields.filter(isDefinition).map(describeDefinition);
  return { importPath, summary: summaryOf(doc), doc: doc.doc, example, tags, definitions };
}

/** A word that is no package may be a misspelt one, or one to search for. */
async function inLibrary(reader: Reader, what: string): Promise<PackageDoc> {
  try {
    return await documentWith(reader, what);
  } catch (error) {
    if (!isCode(error, "cue-import")) throw error;
    const word = what.replace(/^cuellb\.dev\//, "");
    const [near] = nearest(word, libraryNames());
    const hint = near === undefined ? `Look for it: dagger catalog search ${word}` : `Did you mean ${near}?`;
    throw new UserError(2, [{ code: "cue-import", message: `The library has no package ${JSON.stringify(word)}`, at: [], hint }], {
      cause: error,
    });
  }
}

function isCode(error: unknown, code: string): error is UserError {
  return error instanceof UserError && error.diagnostics.some((one) => one.code === code);
}

function unlessMissing(error: unknown): undefined {
  if (!isCode(error, "cue-import")) throw error;
  return undefined;
}
