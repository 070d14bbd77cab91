// Directories as they were when a run took them, and what has changed in them since: by what is in the files, not by their times.
import { basename, dirname, join } from "node:path";
import { type Listing, listFiles } from "../../runtime/session/index.ts";
import { digestsOf } from "../provenance/digest.ts";
import { listingKey } from "../provenance/facts.ts";

/** One directory with the patterns that say what of it is taken. */
export type Wanted = Pick<Listing, "name" | "include" | "exclude" | "follow"> & { readonly dir: string };

interface Entry {
  readonly mode: string;
  /** See `Listing.entries`. */
  readonly stamp: string;
  readonly target: string;
  /** Not there before somebody has read the file, or of one that changed while it was read. */
  readonly digest?: string;
}

type Entries = ReadonlyMap<string, Entry>;

/** What has changed in a directory: full paths. */
export interface TreeChange {
  readonly key: string;
  readonly paths: readonly string[];
}

interface Tree {
  readonly wanted: Wanted;
  entries: Entries | undefined;
}

export class Trees {
  readonly #trees = new Map<string, Tree>();
  /** Files that runs themselves put in place, by full path: what they said of themselves then. */
  readonly #written = new Map<string, string>();
  /** Where runs put something. */
  readonly #saved = new Set<string>();

  get wanted(): readonly Wanted[] {
    return [...this.#trees.values()].map(({ wanted }) => wanted);
  }

  /** Watches a directory. One that is watched already stays as it is. */
  add(key: string, wanted: Wanted): void {
    if (!this.#trees.has(key)) this.#trees.set(key, { wanted, entries: undefined });
  }

  /** Watches these and no others. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#trees.keys()) if (!keys.has(key)) this.#trees.delete(key);
  }

  /** A run took a directory as it was then. */
  taken(listing: Listing): void {
    const key = listingKey(listing);
    const wanted = { name: listing.name, include: listing.include, exclude: listing.exclude, follow: listing.follow, dir: listing.root };
    const before = this.#trees.get(key);
    const entries = carried(parse(listing), before?.entries);
    this.#trees.set(key, { wanted: before?.wanted ?? wanted, entries });
  }

  /** A run put these directories and files in place just now. */
  wrote(paths: readonly string[]): void {
    for (const path of paths) {
      this.#saved.add(path);
      const all = { name: "", include: [], exclude: [], follow: [] };
      const found = list({ ...all, dir: path });
      if (found === undefined) this.#note(dirname(path), list({ ...all, dir: dirname(path), include: [basename(path)] }));
      else this.#note(path, found);
    }
  }

  #note(dir: string, entries: Entries = new Map()): void {
    for (const [path, entry] of entries) this.#written.set(join(dir, path), stampOf(entry));
  }

  /** Whether a run wrote this file, whatever became of it since. */
  isWritten(path: string): boolean {
    return this.#written.has(path);
  }

  /** Reads what nobody has read yet, so that a file that is written again with the same contents is no change. */
  async settle(): Promise<void> {
    for (const tree of this.#trees.values()) {
      tree.entries ??= list(tree.wanted);
      const before = tree.entries;
      if (before === undefined) continue;
      const open = [...before].filter(([, { stamp, digest }]) => stamp !== "" && digest === undefined);
      const digests = await digestsOf({ root: tree.wanted.dir, files: open.map(([path, { stamp }]) => [path, stamp]) });
      const entries = new Map(before);
      for (const [i, [path, entry]] of open.entries()) {
        const digest = digests[i];
        if (digest !== undefined) entries.set(path, { ...entry, digest });
      }
      if (tree.entries === before) tree.entries = entries;
    }
  }

  /** What is not as it was taken. From then on, what is there now counts as taken. */
  async changes(): Promise<TreeChange[]> {
    const found: TreeChange[] = [];
    for (const [key, tree] of this.#trees) {
      const before = tree.entries;
      const now = carried(list(tree.wanted) ?? new Map<string, Entry>(), before);
      if (before === undefined) {
        tree.entries = now;
        continue;
      }
      const paths = [...before.keys()].filter((path) => !now.has(path));
      const open: [string, Entry][] = [];
      for (const [path, entry] of now) {
        const then = before.get(path);
        if (then === entry || this.#isOwn(join(tree.wanted.dir, path), entry)) continue;
        if (then === undefined || entry.stamp === "" || then.mode !== entry.mode || then.digest === undefined) paths.push(path);
        else open.push([path, entry]);
      }
      const digests = await digestsOf({ root: tree.wanted.dir, files: open.map(([path, { stamp }]) => [path, stamp]) });
      for (const [i, [path, entry]] of open.entries()) {
        const digest = digests[i];
        if (digest === undefined || digest !== before.get(path)?.digest) paths.push(path);
        now.set(path, digest === undefined ? entry : { ...entry, digest });
      }
      // A run may have taken it meanwhile, later than it was looked at here.
      if (tree.entries === before) tree.entries = now;
      // A directory says with its files whether it has changed.
      if (paths.length > 0) found.push({ key, paths: paths.sort().map((path) => join(tree.wanted.dir, path)) });
    }
    return found;
  }

  /** It is as a run left it. Directories above what it saved were made for that. */
  #isOwn(path: string, entry: Entry): boolean {
    if (this.#written.get(path) === stampOf(entry)) return true;
    return entry.mode.startsWith("d") && [...this.#saved].some((saved) => saved === path || saved.startsWith(`${path}/`));
  }
}

/** Undefined for a directory that is not there, or cannot be read: then nothing of it is there. */
function list(wanted: Wanted): Map<string, Entry> | undefined {
  try {
    return parse(listFiles(wanted.name, wanted.dir, wanted));
  } catch {
    return undefined;
  }
}

function parse({ entries }: Pick<Listing, "entries">): Map<string, Entry> {
  const found = new Map<string, Entry>();
  const parts = entries === "" ? [] : entries.split("\0");
  for (let i = 0; i + 3 < parts.length; i += 4) {
    const [path = "", mode = "", stamp = "", target = ""] = parts.slice(i, i + 4);
    if (!isInternal(path)) found.set(path, { mode, stamp, target });
  }
  return found;
}

/** What is as it was is the same entry, with its digest. */
function carried(entries: Map<string, Entry>, before: Entries | undefined): Map<string, Entry> {
  for (const [path, entry] of entries) {
    const then = before?.get(path);
    if (then !== undefined && stampOf(then) === stampOf(entry)) entries.set(path, then);
  }
  return entries;
}

function stampOf({ mode, stamp, target }: Pick<Entry, "mode" | "stamp" | "target">): string {
  return `${mode} ${stamp} ${target}`;
}

/** What runs write for themselves: the state of the workspace, and results on their way to their places. */
export function isInternal(path: string): boolean {
  return (
    /(^|\/)\.dagger\/state(\/|$)/.test(path) || path.split("/").some((part) => part.startsWith(".dagger-save-")) || basename(path) === ""
  );
}
