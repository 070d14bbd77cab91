// Documentation of a package: what its comments, types and defaults say, read from its files without evaluating them.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import { createEvaluator, type DocField, type Evaluator, readPackageFiles } from "../../runtime/cue/index.ts";
import { type Modules, openModules } from "../../runtime/modules/index.ts";
import { asset, libraryDir } from "../assets.ts";
import { isOffline } from "../modules/modules.ts";
import type { Surroundings } from "../request.ts";

export interface DocumentRequest extends Surroundings {
  /** `go`, `./ci`, `example.com/lib/x`, each also with `.#Definition`. */
  readonly what: string;
  /** Modules come from the cache and from what is vendored only. */
  readonly offline?: boolean;
  readonly signal: AbortSignal;
}

/** What the comment of a package says. */
export interface PackageComment {
  /** Empty when nobody can import it. */
  readonly importPath: string;
  /** The comment of the package, without its example. */
  readonly doc: string;
  /** One use, as CUE; empty when the comment has none. */
  readonly example: string;
  /** Words to find it by, of the line `Tags: ...` of its comment. */
  readonly tags: readonly string[];
}

/** A package, or as much of it as was asked for. */
export interface PackageDoc extends PackageComment {
  readonly package: string;
  readonly fields: readonly DocField[];
  /** Name of the only definition that was asked for. */
  readonly only?: string;
}

/** What packages are read with: CUE, and where modules come from. */
export interface Reader extends Surroundings {
  readonly evaluator: Evaluator;
  readonly modules: Modules;
}

/** Throws UserError (2) when there is no such package or definition, or a file does not parse; (3) when a registry fails. */
export function documentPackage(request: DocumentRequest): Promise<PackageDoc> {
  return withReader(request, (reader) => documentWith(reader, request.what));
}

/** Several packages may be read with one reader. */
export async function withReader<T>(request: Omit<DocumentRequest, "what">, work: (reader: Reader) => Promise<T>): Promise<T> {
  const { env, cwd, signal } = request;
  const evaluator = await createEvaluator({ wasm: asset("cue.wasm"), follow: [], signal });
  try {
    return await work({ env, cwd, evaluator, modules: openModules({ ...request, offline: isOffline(request), evaluator }) });
  } finally {
    await evaluator.close();
  }
}

/** As `documentPackage`. */
export async function documentWith({ evaluator, modules, cwd }: Reader, what: string): Promise<PackageDoc> {
  const { name, definition } = splitName(what);
  const place = isPath(name) ? { path: name } : { importPath: importPathOf(name, cwd) };
  const read = await readPackageFiles(evaluator, place, { cwd, library: libraryDir(), modules: modules.resolver });
  const documented = await evaluator.document(read.files, read.version);
  const fields = documented.fields ?? [];
  const whole = { package: documented.package, importPath: read.importPath, ...splitComment(documented.doc) };
  if (definition === undefined) return { ...whole, fields };
  return { ...whole, fields: [find(fields, definition, what)], only: definition };
}

function splitName(what: string): { readonly name: string; readonly definition?: string } {
  const at = what.lastIndexOf(".#");
  return at < 1 ? { name: what } : { name: what.slice(0, at), definition: what.slice(at + 1) };
}

function isPath(name: string): boolean {
  return /^\.{0,2}(\/|$)/.test(name) || name.endsWith(".cue");
}

/** Packages of the library go by their last name. */
function importPathOf(name: string, cwd: string): string {
  const isFull = /^[^/]*\./.test(name);
  if (!isFull && existsSync(join(libraryDir(), name))) return `cuellb.dev/${name}`;
  if (isFull || !existsSync(resolve(cwd, name))) return name;
  throw inputError({
    code: "cue-import",
    message: `The library has no package ${JSON.stringify(name)}`,
    at: [],
    hint: `For the directory, write ./${name}; \`dagger catalog search ${name}\` looks for packages`,
  });
}

/** The lines `Example: ...` and `Tags: ...` of a comment, and the comment without them. */
function splitComment(comment: string): Pick<PackageDoc, "doc" | "example" | "tags"> {
  const paragraphs = comment.split("\n\n");
  const after = (mark: string): string => {
    const found = paragraphs.find((text) => text.startsWith(mark));
    return found?.slice(mark.length).replaceAll("\n", " ") ?? "";
  };
  const tags = after("Tags: ")
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  return { doc: paragraphs.filter((text) => !/^(Example|Tags): /.test(text)).join("\n\n"), example: after("Example: "), tags };
}

function find(fields: readonly DocField[], name: string, what: string): DocField {
  const found = fields.find((field) => field.name === name);
  if (found !== undefined) return found;
  const names = fields.map((field) => field.name).filter((one) => one.startsWith("#"));
  const [near] = nearest(name, names);
  const all = names.length === 0 ? "It has no definitions" : `It has ${names.join(", ")}`;
  throw inputError({
    code: "unknown-definition",
    message: `There is no ${name} in ${what.slice(0, what.lastIndexOf(".#"))}`,
    at: [],
    hint: near === undefined ? all : `Did you mean ${near}?`,
  });
}
