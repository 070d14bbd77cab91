// One directory on its way to its destination: written beside it, then moved into place in one step when all has arrived.
import fs from "node:fs";
import path from "node:path";
import type { Position } from "../../compiler/diagnostic.ts";
import { stagingPrefix, sweepLeftovers } from "./leftovers.ts";
import { type DirAttributes, type Moved, merge, moveIfFree } from "./merge.ts";
import { Mode, type Stat } from "./packet.ts";

/** A tree of the result and where it goes. */
export interface DirTarget {
  /** Path in the result, e.g. `dirs/0`. */
  readonly prefix: string;
  /** Absolute. A symlink here is followed, because the user named it; symlinks inside are not. */
  readonly dest: string;
  /** What else lies at `dest` is removed. */
  readonly exact?: boolean;
  readonly at?: readonly Position[];
}

/** What was written. `files` counts files and symlinks, `bytes` what the files hold. */
export interface SavedDir {
  readonly dest: string;
  readonly files: number;
  readonly bytes: number;
}

export class Staging {
  readonly target: DirTarget;
  #dir: string | undefined;
  /** Directories above the destination that had to be made, outermost first. */
  #made: string[] = [];
  readonly #dirs = new Map<string, DirAttributes>();
  #files = 0;
  #bytes = 0;
  /** Removing what killed processes left beside the destination. */
  #swept: Promise<void> = Promise.resolve();
  /** The destination with the symlinks that the user named resolved. */
  #dest: string;

  constructor(target: DirTarget) {
    this.target = target;
    this.#dest = target.dest;
  }

  /** Full path of an entry while it waits; `relative` is "" for the tree itself. */
  path(relative: string): string {
    this.#dir ??= this.#open();
    return relative === "" ? path.join(this.#dir, "data") : path.join(this.#dir, "data", relative);
  }

  addDir(relative: string, stat: Stat): void {
    fs.mkdirSync(this.path(relative), 0o700);
    this.#dirs.set(relative, { mode: unixMode(stat.mode), seconds: seconds(stat.mtime) });
  }

  addSymlink(relative: string, stat: Stat): void {
    const where = this.path(relative);
    fs.symlinkSync(stat.linkname, where);
    fs.lutimesSync(where, seconds(stat.mtime), seconds(stat.mtime));
    this.#files++;
  }

  /** Makes a file that must not exist yet; the caller writes and closes it by `finishFile`. */
  openFile(relative: string): number {
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = fs.constants;
    const fd = fs.openSync(this.path(relative), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    this.#files++;
    return fd;
  }

  /** Sets mode and time as Node can: to the microsecond. */
  finishFile(fd: number, stat: Stat, bytes: number): void {
    fs.fchmodSync(fd, unixMode(stat.mode));
    fs.futimesSync(fd, seconds(stat.mtime), seconds(stat.mtime));
    fs.closeSync(fd);
    this.#bytes += bytes;
  }

  addHardLink(relative: string, existing: string): void {
    fs.linkSync(existing, this.path(relative));
    this.#files++;
  }

  /** Moves everything into place. */
  async commit(): Promise<SavedDir> {
    const data = this.path("");
    await this.#swept;
    if (fs.lstatSync(data, { throwIfNoEntry: false }) === undefined) fs.mkdirSync(data, 0o755); // an empty result is an empty directory
    this.#setAttributes(data);
    const moved: Moved = { from: data, to: this.#dest, attributes: this.#dirs.get("") };
    if (fs.lstatSync(this.#dest, { throwIfNoEntry: false }) !== undefined || !moveIfFree(moved))
      await merge(moved, { attributesOf: (relative) => this.#dirs.get(relative), exact: this.target.exact === true });
    this.#made = [];
    this.rollback();
    return { dest: this.target.dest, files: this.#files, bytes: this.#bytes };
  }

  /** Removes what was staged. Safe to call at any time. */
  rollback(): void {
    if (this.#dir !== undefined) fs.rmSync(this.#dir, { recursive: true, force: true });
    this.#dir = undefined;
    for (const dir of this.#made.reverse()) removeIfEmpty(dir);
    this.#made = [];
  }

  /** Children before their parents, the tree itself last of all, by whoever moves it. */
  #setAttributes(data: string): void {
    for (const [relative, attributes] of [...this.#dirs].reverse()) {
      if (relative === "") continue;
      const where = path.join(data, relative);
      fs.chmodSync(where, attributes.mode);
      fs.utimesSync(where, attributes.seconds, attributes.seconds);
    }
  }

  #open(): string {
    const existing = fs.statSync(this.#dest, { throwIfNoEntry: false });
    if (existing?.isDirectory() === true) {
      this.#dest = fs.realpathSync(this.#dest);
      return this.#openBeside(existing.dev);
    }
    const parent = path.dirname(this.#dest);
    this.#made = makeParents(parent);
    return this.#make(parent);
  }

  /** Beside the destination, if files can be moved from there; else inside. */
  #openBeside(device: number): string {
    const parent = path.dirname(this.#dest);
    try {
      if (parent !== this.#dest && fs.statSync(parent).dev === device) return this.#make(parent);
    } catch {
      // Not writable: inside it is.
    }
    return this.#make(this.#dest);
  }

  #make(parent: string): string {
    this.#swept = sweepLeftovers(parent);
    return fs.mkdtempSync(path.join(parent, stagingPrefix()));
  }
}

function makeParents(dir: string): string[] {
  const first = fs.mkdirSync(dir, { recursive: true });
  if (first === undefined) return [];
  const made: string[] = [];
  for (let at = dir; at.length >= first.length; at = path.dirname(at)) made.unshift(at);
  return made;
}

function removeIfEmpty(dir: string): void {
  try {
    fs.rmdirSync(dir);
  } catch {
    // Somebody else uses it by now.
  }
}

/** Go's FileMode to Unix permission bits. */
export function unixMode(mode: number): number {
  let out = mode & 0o777;
  if ((mode & Mode.setuid) !== 0) out |= 0o4000;
  if ((mode & Mode.setgid) !== 0) out |= 0o2000;
  if ((mode & Mode.sticky) !== 0) out |= 0o1000;
  return out;
}

/** Seconds as Node takes them; it cuts them at the microsecond, so they point to the middle of it. */
function seconds(nanoseconds: bigint): number {
  return (Number(nanoseconds / 1000n) + 0.5) / 1e6;
}
