// Joins what a node gave with what changed meanwhile, as a policy has it.
import { UserError } from "../../compiler/index.ts";
import type { Git } from "../sources/ask/mirror.ts";
import { changed, changesBetween, colliding } from "./trees.ts";

/** Two commits, and the one that both come from. */
export interface Sides {
  readonly base: string;
  /** Has what a node gave. */
  readonly ours: string;
  readonly theirs: string;
}

/** A tree, or the files for which there is none. */
export type Combined = { readonly tree: string } | { readonly paths: readonly string[] };

/** `apart`: only where no file changed on both sides. */
export async function combine(git: Git, sides: Sides, how: "ours" | "theirs" | "merge" | "apart"): Promise<Combined> {
  if (how === "merge") return merge(git, sides);
  const { base, ours, theirs } = sides;
  const mine = await changesBetween(git, base, ours);
  const paths = colliding(mine, await changesBetween(git, base, theirs));
  if (how === "apart" && paths.length > 0) return { paths };
  const left = new Set(how === "theirs" ? paths : []);
  return { tree: await changed(git, theirs, new Map([...mine].filter(([path]) => !left.has(path)))) };
}

/** Files that changed on both sides. */
export async function pathsOf(git: Git, { base, ours, theirs }: Sides): Promise<readonly string[]> {
  return colliding(await changesBetween(git, base, ours), await changesBetween(git, base, theirs));
}

/** By lines, as `git merge` does it. */
async function merge(git: Git, { ours, theirs }: Sides): Promise<Combined> {
  const done = await git.outcome("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", theirs, ours);
  const [tree = "", ...paths] = done.stdout.split("\0").filter((word) => word !== "");
  if (done.code === 0) return { tree };
  if (done.code === 1) return { paths };
  const message = `Cannot merge: ${done.stderr.split("\n")[0] ?? ""}`;
  throw new UserError(3, [
    { code: "merge-failed", message, at: [], hint: "Merging takes git 2.38 or newer; the policies ours and theirs do not" },
  ]);
}
