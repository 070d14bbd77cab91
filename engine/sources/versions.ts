// Versions of sources: how they are asked for, shown and named by people.
import { inputError } from "../../compiler/index.ts";
import type { ConnectOptions } from "../../runtime/solve/index.ts";
import type { Surroundings } from "../request.ts";
import type { Datum, DatumKey, NewDatum, Store } from "../store/index.ts";
import type { Workspace } from "../workspace/find.ts";
import type { Source } from "./source.ts";

/** What commands about sources are given. */
export interface SourceRequest extends Surroundings {
  readonly allowHost?: boolean;
  readonly buildkit?: string;
  readonly tls?: ConnectOptions["tls"];
  readonly signal: AbortSignal;
  /** Told of runs that were found interrupted. */
  readonly onNotice?: (text: string) => void;
}

/** A version as its place tells of it. */
export interface Seen {
  /** `sha1:COMMIT`, `sha256:DIGEST`, `md5:DIGEST`. */
  readonly id: string;
  /** What parameters and manifests tell of it: `commit`, `build`, `url`, … */
  readonly detail: Readonly<Record<string, string>>;
}

/** What a place has. */
export interface Answer {
  readonly current: Seen;
  /** The oldest first, with the current one. */
  readonly all: readonly Seen[];
}

/** What asks repositories and buckets. */
export interface PlaceScope extends SourceRequest {
  readonly workspace: Workspace;
}

/** What asks places of all kinds. */
export interface AskScope extends PlaceScope {
  readonly askDaemon: AskDaemon;
}

/** Digests as the daemon knows them: it can reach what runs reach. */
export interface AskDaemon {
  image(ref: string): Promise<string>;
  address(url: string): Promise<string>;
}

/** 8 digits of a version, as lists show it. */
export function shortId(id: string): string {
  return id.slice(id.indexOf(":") + 1, id.indexOf(":") + 9);
}

export function versionKey(source: string, id: string): DatumKey {
  return { kind: "version", name: source, id };
}

export function versionOf({ name, kind, location, tag, path }: Source, { id, detail }: Seen, isCurrent = false): NewDatum {
  const about = { kind, location, ...(tag === undefined ? {} : { tag }), ...(path === undefined ? {} : { path }) };
  return { ...versionKey(name, id), state: "", detail: { ...about, ...detail }, ...(isCurrent ? { isCurrent } : {}) };
}

/** What is known already as what its source has now. */
export function asNewest({ time: _, ...datum }: Datum): NewDatum {
  return { ...datum, isCurrent: true };
}

/** What a version says of itself, as texts. */
export function detailOf({ detail }: Pick<Datum, "detail">): Readonly<Record<string, string>> {
  if (typeof detail !== "object" || detail === null || Array.isArray(detail)) return {};
  return Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, String(value)]));
}

/** The version that a person means: all of its id, or how it begins, with the algorithm or without. Throws UserError (2) `unknown-version`, `ambiguous-version`. */
export async function findVersion(store: Store | undefined, source: string, wanted: string): Promise<Datum> {
  const found = await versionsLike(store, source, wanted);
  const [first, ...others] = found;
  const exact = found.find(({ id }) => id.toLowerCase() === wanted.toLowerCase());
  if (exact !== undefined) return exact;
  if (first !== undefined && others.length === 0) return first;
  if (first === undefined) {
    const hint = `See which are known: dagger source log ${source}; look for new ones: dagger source refresh ${source}`;
    throw inputError({ code: "unknown-version", message: `The source ${source} has no version ${JSON.stringify(wanted)}`, at: [], hint });
  }
  const message = `Several versions of ${source} begin with ${JSON.stringify(wanted)}: ${found
    .slice(0, 4)
    .map(({ id }) => id)
    .join(", ")}`;
  throw inputError({ code: "ambiguous-version", message, at: [], hint: "Write more of it" });
}

export async function versionsLike(store: Store | undefined, source: string, wanted: string): Promise<readonly Datum[]> {
  const [, algorithm, hex = ""] = /^(?:([a-z0-9]+):)?([0-9a-fA-F]{4,128})$/.exec(wanted) ?? [];
  if (store === undefined || hex === "") return [];
  const found = await store.lineages.list({ kind: "version", name: source }, { prefix: hex.toLowerCase(), limit: 5 });
  return found.filter(({ id }) => algorithm === undefined || id.startsWith(`${algorithm}:`));
}

/** `NAME:ID`: a version of a source as people write it. */
export function readVersionName(text: string): { readonly source: string; readonly id: string } {
  const cut = text.indexOf(":");
  if (cut > 0 && cut < text.length - 1) return { source: text.slice(0, cut), id: text.slice(cut + 1) };
  throw inputError({
    code: "bad-version-name",
    message: `Cannot read ${JSON.stringify(text)}: expected NAME:ID, a source and one of its versions`,
    at: [],
    hint: "Write for example pinata:3dd2cc1d; `dagger source log NAME` lists versions",
  });
}
