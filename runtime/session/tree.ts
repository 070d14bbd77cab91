// Guards a tree of files that a daemon sends: every path must be clean, in order, and below a directory that came before it.
// What passes can neither leave the directory it is written to nor go through a symlink.
import { Mode, type Stat } from "./packet.ts";

/** Thrown for a tree that no honest daemon sends. */
export class TreeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TreeError";
  }
}

export class TreeGuard {
  /** The directories from the root to where we are, with the last name seen in each. */
  readonly #open: { readonly dir: string; last: string }[] = [{ dir: "", last: "" }];
  readonly #files = new Set<string>();

  /** Throws TreeError when `stat` may not come next. */
  check(stat: Stat): void {
    checkPath(stat.path);
    const slash = stat.path.lastIndexOf("/");
    const dir = slash === -1 ? "" : stat.path.slice(0, slash);
    const name = stat.path.slice(slash + 1);
    while (this.#open.length > 1 && this.#open.at(-1)?.dir !== dir) this.#open.pop();
    const parent = this.#open.at(-1) as { dir: string; last: string };
    if (parent.dir !== dir) throw new TreeError(`${show(stat.path)} comes before the directory it is in`);
    if (compareNames(parent.last, name) >= 0) throw new TreeError(`${show(stat.path)} comes out of order`);
    parent.last = name;
    this.#checkKind(stat);
  }

  #checkKind(stat: Stat): void {
    const kind = stat.mode & Mode.type;
    if (kind === Mode.dir >> 0) this.#open.push({ dir: stat.path, last: "" });
    else if (kind === Mode.symlink) {
      if (stat.linkname === "" || stat.linkname.includes("\0")) throw new TreeError(`the symlink ${show(stat.path)} has no valid target`);
    } else if (kind === 0) {
      if (stat.linkname !== "" && !this.#files.has(stat.linkname)) {
        throw new TreeError(`${show(stat.path)} is a hard link to ${show(stat.linkname)}, which is no file before it`);
      }
      this.#files.add(stat.path);
    }
  }
}

function checkPath(path: string): void {
  if (path.startsWith("/")) throw new TreeError(`the path ${show(path)} is absolute`);
  if (path.includes("\0")) throw new TreeError(`the path ${show(path)} has a NUL byte`);
  for (const part of path.split("/")) {
    if (part === "..") throw new TreeError(`the path ${show(path)} leads outside`);
    if (part === "" || part === ".") throw new TreeError(`the path ${show(path)} is not clean`);
  }
}

function compareNames(a: string, b: string): number {
  const surrogates = /[\ud800-\udfff]/;
  if (surrogates.test(a) || surrogates.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function show(path: string): string {
  return JSON.stringify(path);
}
