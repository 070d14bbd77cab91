// Which files of a directory the daemon gets to see, and what tells whether they are as they were.
import fs from "node:fs";
import { followPaths } from "./follow.ts";
import { Matcher } from "./patterns.ts";
import type { Listing, LocalDir } from "./services.ts";
import { type Entry, errorCode, FileType, WalkError, type WalkOptions, walk } from "./walk.ts";

/** What the daemon wants to see of a directory. */
export type Wanted = Pick<Listing, "include" | "exclude" | "follow">;

export function walkOptions(root: string, { exclude, follow, ...wanted }: Wanted): WalkOptions {
  let include = [...wanted.include];
  if (follow.length > 0) {
    const targets = followPaths(root, follow);
    include = targets === undefined ? [] : [...include, ...targets];
  }
  return {
    include: include.length > 0 ? new Matcher(include) : undefined,
    exclude: exclude.length > 0 ? new Matcher(exclude) : undefined,
  };
}

export function openRoot(local: LocalDir): string {
  try {
    const root = fs.realpathSync(local.dir);
    if (!fs.statSync(root).isDirectory()) throw new WalkError("", "it is not a directory");
    return root;
  } catch (error) {
    if (error instanceof WalkError) throw error;
    throw new WalkError("", errorCode(error) === "ENOENT" ? "there is no such directory" : "permission denied", error);
  }
}

/** What the daemon would be offered of a directory now. Throws WalkError where it cannot be read. */
export function listFiles(name: string, dir: string, wanted: Wanted): Listing {
  const root = openRoot({ dir });
  const entries: string[] = [];
  for (const entry of walk(root, walkOptions(root, wanted))) entries.push(entry.path, ...noteOf(entry), entry.target);
  return { name, ...wanted, root, entries: entries.join("\0") };
}

const kinds: ReadonlyMap<number, string> = new Map([
  [FileType.regular, "f"],
  [FileType.directory, "d"],
  [FileType.symlink, "l"],
]);

/** Kind and permissions, and what changes when the contents do: nobody can set back the time of the last change. */
export function noteOf({ stat, mode: all }: Pick<Entry, "stat" | "mode">): readonly [mode: string, stamp: string] {
  const kind = kinds.get(all & FileType.mask) ?? "o";
  const mode = `${kind}${(all & 0o7777).toString(8)}`;
  return kind === "f" ? [mode, `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`] : [mode, ""];
}
