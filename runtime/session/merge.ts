// Moves a finished tree over an existing directory by renames: file by file, never through a symlink that is found there.
import fs from "node:fs";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";

/** Mode (Unix bits) and time of a directory; they are set last, because writing into it needs the one and changes the other. */
export interface DirAttributes {
  readonly mode: number;
  readonly seconds: number;
}

/** One move. `attributes` are those of a directory that moves: set after it has, since writing to it may need other ones. */
export interface Moved {
  readonly from: string;
  readonly to: string;
  readonly attributes: DirAttributes | undefined;
}

/** Moves to a place where nothing is. */
export function moveInto({ from, to, attributes }: Moved): void {
  // Moving a directory writes its `..`, which its owner may not do when the directory is read-only.
  if (attributes !== undefined && (attributes.mode & 0o200) === 0) fs.chmodSync(from, attributes.mode | 0o700);
  fs.renameSync(from, to);
  if (attributes === undefined) return;
  fs.chmodSync(to, attributes.mode);
  fs.utimesSync(to, attributes.seconds, attributes.seconds);
}

const taken = new Set(["ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR"]);

/** As `moveInto`, where nothing was a moment ago; false when another process has put something there since: two runs may save to one place. */
export function moveIfFree(move: Moved): boolean {
  try {
    moveInto(move);
    return true;
  } catch (error) {
    if (taken.has((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

export interface MergeOptions {
  /** The staged directories by relative path. */
  readonly attributesOf: (relative: string) => DirAttributes | undefined;
  /** What only exists at the destination is removed. */
  readonly exact: boolean;
}

/**
 * Moves the tree at `from` over what is at `to`. Directories are merged and take the new mode and time, all else is replaced; what only exists
 * at `to` stays, unless it is to be exact. The directory at `to` itself keeps its mode: the user made it.
 */
export async function merge({ from, to }: Moved, options: MergeOptions): Promise<void> {
  if (!fs.lstatSync(from).isDirectory()) return replace({ from, to, attributes: undefined });
  if (!fs.lstatSync(to).isDirectory()) return replace({ from, to, attributes: options.attributesOf("") });
  await mergeDir(from, to, "", options);
}

async function mergeDir(from: string, to: string, relative: string, options: MergeOptions): Promise<void> {
  const names = fs.readdirSync(from, { withFileTypes: true });
  if (options.exact) removeOthers(to, new Set(names.map(({ name }) => name)), from);
  for (const [i, entry] of names.entries()) {
    if (i % 512 === 511) await turn();
    const below = relative === "" ? entry.name : `${relative}/${entry.name}`;
    const move: Moved = { from: path.join(from, entry.name), to: path.join(to, entry.name), attributes: options.attributesOf(below) };
    if (fs.lstatSync(move.to, { throwIfNoEntry: false }) === undefined && moveIfFree(move)) continue;
    if (entry.isDirectory() && fs.lstatSync(move.to).isDirectory()) await mergeInto(move, below, options);
    else replace(move);
  }
}

/** Where files cannot be moved from beside the destination, those that wait lie inside of it. */
function removeOthers(dir: string, names: ReadonlySet<string>, waiting: string): void {
  for (const name of fs.readdirSync(dir)) {
    const there = path.join(dir, name);
    if (!names.has(name) && !waiting.startsWith(there + path.sep)) fs.rmSync(there, { recursive: true, force: true });
  }
}

async function mergeInto(move: Moved, relative: string, options: MergeOptions): Promise<void> {
  if (move.attributes !== undefined) {
    fs.chmodSync(move.from, move.attributes.mode | 0o700);
    fs.chmodSync(move.to, move.attributes.mode | 0o700);
  }
  await mergeDir(move.from, move.to, relative, options);
  if (move.attributes === undefined) return;
  fs.chmodSync(move.to, move.attributes.mode);
  fs.utimesSync(move.to, move.attributes.seconds, move.attributes.seconds);
}

/** Puts `from` where something else is: a rename replaces a file or a symlink itself; a directory in the way of a file goes, as `cp -T` cannot do. */
function replace(move: Moved): void {
  const there = fs.lstatSync(move.to);
  if (there.isDirectory() || fs.lstatSync(move.from).isDirectory()) fs.rmSync(move.to, { recursive: true, force: true });
  moveInto(move);
}
