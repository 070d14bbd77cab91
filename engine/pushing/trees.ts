// Trees of commits, made and joined without a work tree: only what changes is read or written, so contents that nobody needs stay at the remote.
import { randomBytes } from "node:crypto";
import { lstat, readdir, readlink, rm } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Git } from "../sources/ask/mirror.ts";

/** Files by their paths from the top; undefined for one that is not there any more. */
export type Changes = ReadonlyMap<string, Entry | undefined>;

interface Entry {
  /** As git writes it: 100644, 100755, 120000, 160000. */
  readonly mode: string;
  readonly hash: string;
}

/** What lies in a directory, as files of a repository below `path`. Throws UserError (2) `node-output` for what a repository cannot have. */
export async function filesOf(git: Git, source: string, dir: string, path: string): Promise<Changes> {
  const found = new Map<string, Entry>();
  const plain: (readonly [name: string, file: string, mode: string])[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const name = posix.join(path, relative(dir, file).split(sep).join("/")).replace(/^\//, "");
    if (entry.isDirectory()) continue;
    if (name.split("/").some((part) => part.toLowerCase() === ".git")) throw noFile(source, name, "git keeps its own things in .git");
    if (entry.isSymbolicLink()) found.set(name, { mode: "120000", hash: await hashOf(git, await readlink(file)) });
    else if (entry.isFile()) plain.push([name, file, ((await lstat(file)).mode & 0o100) === 0 ? "100644" : "100755"]);
    else throw noFile(source, name, "it is neither a file nor a link");
  }
  // One process for all of them; a name with a line end would be two.
  const many = plain.filter(([, file]) => !/[\n"]/.test(file));
  const hashes = (await git.pipe(many.map(([, file]) => `${file}\n`).join(""), "hash-object", "-w", "--no-filters", "--stdin-paths")).split(
    "\n",
  );
  for (const [index, [name, , mode]] of many.entries()) found.set(name, { mode, hash: hashes[index] ?? "" });
  for (const [name, file, mode] of plain.filter((one) => !many.includes(one)))
    found.set(name, { mode, hash: (await git("hash-object", "-w", "--no-filters", "--", file)).trim() });
  return found;
}

async function hashOf(git: Git, content: string): Promise<string> {
  return (await git.pipe(content, "hash-object", "-w", "--stdin")).trim();
}

function noFile(source: string, name: string, why: string): Error {
  const message = `Cannot put ${JSON.stringify(name)} into the source ${source}: ${why}`;
  return inputError({ code: "node-output", message, at: [], hint: "Let the command leave it out of its output" });
}

/** The tree of a commit with changes. */
export async function changed(git: Git, onto: string, changes: Changes): Promise<string> {
  const index = join(git.dir, `index.${randomBytes(6).toString("hex")}`);
  const own = git.with({ GIT_INDEX_FILE: index });
  try {
    await own("read-tree", onto);
    const gone = "0".repeat(onto.length);
    const lines = [...changes].map(([path, entry]) => `${entry === undefined ? `0 ${gone}` : `${entry.mode} ${entry.hash}`}\t${path}\0`);
    // What is taken away first makes room for files where directories were, and the other way round.
    lines.sort((a, b) => (a.startsWith("0 ") ? 0 : 1) - (b.startsWith("0 ") ? 0 : 1));
    await own.pipe(lines.join(""), "update-index", "-z", "--replace", "--index-info");
    return (await own("write-tree", "--missing-ok")).trim();
  } finally {
    await rm(index, { force: true });
  }
}

/** What a commit changed since another one. */
export async function changesBetween(git: Git, from: string, to: string): Promise<Changes> {
  const words = (await git("diff-tree", "-r", "-z", "--no-renames", from, to)).split("\0");
  const found = new Map<string, Entry | undefined>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [, mode = "", , hash = ""] = (words[at] ?? "").split(" ");
    found.set(words[at + 1] ?? "", mode === "000000" ? undefined : { mode, hash });
  }
  return found;
}

/** Paths of changes that meet other changes which are not the same: the same path, or one below the other. */
export function colliding(changes: Changes, others: Changes): readonly string[] {
  const above = new Set([...others.keys()].flatMap((path) => [...parentsOf(path)]));
  return [...changes].flatMap(([path, entry]) => {
    if (others.has(path)) {
      const other = others.get(path);
      return entry?.hash === other?.hash && entry?.mode === other?.mode ? [] : [path];
    }
    // A directory there, a file here, or the other way round; taking away a file hurts no directory.
    if (entry === undefined) return [];
    return above.has(path) || [...parentsOf(path)].some((dir) => others.get(dir) !== undefined) ? [path] : [];
  });
}

function* parentsOf(path: string): Generator<string> {
  for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) yield path.slice(0, cut);
}

export async function treeOf(git: Git, commit: string): Promise<string> {
  return (await git("rev-parse", `${commit}^{tree}`)).trim();
}

/** Whether one commit has another one in its history; a commit has itself. */
export async function isAncestor(git: Git, older: string, newer: string): Promise<boolean> {
  return (await git.outcome("merge-base", "--is-ancestor", older, newer)).code === 0;
}

/** The commit without which neither of these would be; undefined where they have nothing in common. */
export async function mergeBase(git: Git, one: string, other: string): Promise<string | undefined> {
  const { code, stdout } = await git.outcome("merge-base", one, other);
  return code === 0 ? stdout.trim() : undefined;
}
