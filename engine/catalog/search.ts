// Looks for packages: in the library by what their comments say, in the registries of modules by the paths of these.
import { readdirSync } from "node:fs";
import { nearest, UserError } from "../../compiler/index.ts";
import { type Place, pathProblem, type RegistryClient, splitModule } from "../../runtime/modules/index.ts";
import { libraryDir } from "../assets.ts";
import { isOffline } from "../modules/modules.ts";
import type { Surroundings } from "../request.ts";
import { documentWith, type PackageDoc, type Reader, withReader } from "./doc.ts";

export interface CatalogRequest extends Surroundings {
  /** Only the library, and modules of the cache. */
  readonly offline?: boolean;
  readonly signal: AbortSignal;
}

/** What was found: the best first. */
export interface Found {
  readonly packages: readonly FoundPackage[];
  readonly registries: readonly SearchedRegistry[];
  /** Words of the library that may be meant, when there is nothing. */
  readonly near: readonly string[];
}

/** A registry of CUE_REGISTRY; where it is not `listed` there may be more. */
export interface SearchedRegistry {
  readonly host: string;
  /** `unlisted`: it never gives a list of its modules; `failed`: it could not be asked. */
  readonly state: "listed" | "unlisted" | "failed";
  /** Why something may be missing. */
  readonly why?: string;
}

export interface FoundPackage {
  readonly importPath: string;
  /** What it is for; empty for a module, of which only the path is known. */
  readonly summary: string;
  /** Names of its definitions. */
  readonly definitions: readonly string[];
  /** The newest version of a module. */
  readonly version?: string;
  /** Host of a module's registry; not there for the library. */
  readonly registry?: string;
}

/** A registry may hold images, too: of more repositories than these nobody is asked whether they are modules. */
const maxModules = 100;

/** Every word has to match. Never throws for a registry that cannot be listed: the answer says so. Throws UserError (2) for a broken CUE_REGISTRY. */
export function searchCatalog(request: CatalogRequest & { readonly words: readonly string[] }): Promise<Found> {
  const words = request.words.flatMap((word) => word.toLowerCase().split(/\s+/)).filter((word) => word !== "");
  return withReader(request, async (reader) => {
    const library = await Promise.all(libraryNames().map((name) => documentWith(reader, name)));
    const ranked = library.map((doc) => ({ doc, score: scoreOf(doc, words) })).filter(({ score }) => score > 0);
    ranked.sort((a, b) => b.score - a.score || (a.doc.importPath < b.doc.importPath ? -1 : 1));
    const modules = isOffline(request) ? { packages: [], registries: [] } : await searchModules(reader, words);
    const packages = [...ranked.map(({ doc }) => entryOf(doc)), ...modules.packages];
    const near = packages.length > 0 ? [] : words.flatMap((word) => nearest(word, new Set(library.flatMap(wordsOf))));
    return { packages, registries: modules.registries, near };
  });
}

/** Packages of the library, without those of other places that it serves. */
export function libraryNames(): readonly string[] {
  return readdirSync(libraryDir()).filter((name) => !name.includes("."));
}

/** The first sentence of a package's comment, without the words that all of them begin with. */
export function summaryOf({ doc, package: name }: Pick<PackageDoc, "doc" | "package">): string {
  const [sentence = ""] = /^.*?\.(?=\s|$)/s.exec(doc) ?? [doc.split("\n\n")[0] ?? ""];
  const text = sentence.replaceAll("\n", " ").replace(`Package ${name} `, "");
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
}

function wordsOf({ package: name, tags }: PackageDoc): readonly string[] {
  return [name, ...tags];
}

function definitionsOf({ fields }: PackageDoc): readonly string[] {
  return fields.map(({ name }) => name).filter((name) => name.startsWith("#"));
}

function entryOf(doc: PackageDoc): FoundPackage {
  return { importPath: doc.importPath, summary: summaryOf(doc), definitions: definitionsOf(doc) };
}

/** 0 when a word is nowhere; names count more than tags, tags more than prose. */
function scoreOf(doc: PackageDoc, words: readonly string[]): number {
  const tags = doc.tags.map((tag) => tag.toLowerCase());
  const definitions = doc.fields.map(({ name }) => name.toLowerCase().replace("#", ""));
  const prose = [doc.doc, ...doc.fields.map((field) => field.doc)].join("\n").toLowerCase();
  const one = (word: string): number => {
    if (doc.package === word || doc.importPath === word) return 100;
    if (tags.includes(word)) return 40;
    if (definitions.includes(word)) return 30;
    if (doc.package.startsWith(word)) return 25;
    if ([...tags, ...definitions].some((text) => text.startsWith(word))) return 15;
    if (new RegExp(`\\b${escapeRegExp(word)}`).test(prose)) return 5;
    return 0;
  };
  const scores = words.map(one);
  return scores.includes(0) ? 0 : 1 + scores.reduce((sum, score) => sum + score, 0);
}

/** Modules whose path has every word, of registries that give a list; and those that a word names exactly. */
async function searchModules({ modules }: Reader, words: readonly string[]): Promise<Pick<Found, "packages" | "registries">> {
  const client = await modules.registry();
  const exact = words.map((word) => splitModule(word).path).filter((path) => path.includes("/") && pathProblem(path) === undefined);
  const searched = await Promise.all([
    ...client.places.map((place) => searchPlace(client, place, words)),
    ...exact.map((path) => askFor(client, path)),
  ]);
  const byPath = new Map(searched.flatMap(({ packages }) => packages.map((one) => [one.importPath, one] as const)));
  return { packages: [...byPath.values()], registries: searched.flatMap(({ registry }) => registry ?? []) };
}

interface Searched {
  readonly packages: readonly FoundPackage[];
  readonly registry?: SearchedRegistry;
}

async function searchPlace(client: RegistryClient, place: Place, words: readonly string[]): Promise<Searched> {
  const { host, unlisted } = place;
  if (unlisted !== undefined) return { packages: [], registry: { host, state: "unlisted", why: unlisted } };
  try {
    const matching = (await client.list(place)).filter((path) => words.every((word) => path.toLowerCase().includes(word)));
    const packages: FoundPackage[] = [];
    for (const path of matching.slice(0, maxModules)) packages.push(...(await modulesAt(client, path)));
    const why =
      matching.length > maxModules ? { why: `only the first ${maxModules} of ${matching.length} repositories were looked at` } : {};
    return { packages, registry: { host, state: "listed", ...why } };
  } catch (error) {
    return { packages: [], registry: { host, state: "failed", why: reasonOf(error) } };
  }
}

/** A whole path needs no list. */
async function askFor(client: RegistryClient, path: string): Promise<Searched> {
  try {
    return { packages: await modulesAt(client, path) };
  } catch (error) {
    return { packages: [], registry: { host: client.hostOf(path) ?? "", state: "failed", why: reasonOf(error) } };
  }
}

/** None when there is no such module: a repository of images, say. */
async function modulesAt(client: RegistryClient, path: string): Promise<readonly FoundPackage[]> {
  const registry = client.hostOf(path);
  if (registry === undefined) return [];
  const newest = newestOf(await client.versions(path));
  if (newest === undefined) return [];
  try {
    await client.published({ path, version: newest });
  } catch (error) {
    if (error instanceof UserError && error.diagnostics.some(({ code }) => code === "module-damaged")) return [];
    throw error;
  }
  return [{ importPath: path, summary: "", definitions: [], version: newest, registry }];
}

/** Of versions that are sorted; a release before what comes before one. */
function newestOf(versions: readonly string[]): string | undefined {
  return versions.filter((version) => !version.includes("-")).at(-1) ?? versions.at(-1);
}

/** What a registry says is told beside what was found; all else is not ours to swallow. */
function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.diagnostics.map(({ message }) => message).join("; ");
  throw error;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
