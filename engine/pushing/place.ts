// The repository of this workspace that has commits until they are pushed. It lies beside the store's file, not in a cache: nothing else has them.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inputError } from "../../compiler/index.ts";
import { type Git, gitFailure, inRepository, keyOf } from "../sources/ask/mirror.ts";
import type { Source } from "../sources/source.ts";
import type { PlaceScope } from "../sources/versions.ts";
import { shown } from "../stacks/git.ts";

/** Runs `work` with git there, while no other process does. */
export function inPushes<T>(source: Source, scope: PlaceScope, work: (git: Git) => Promise<T>): Promise<T> {
  return inRepository(placeOf(source, scope), source, scope, work);
}

function placeOf(source: Source, scope: PlaceScope): string {
  return join(scope.workspace.state, "pushes", `${keyOf(source, scope)}.git`);
}

/** Keeps a commit from git's tidying up, and says that its remote does not have it. */
export function refOf(commit: string): string {
  return `refs/dagger/pushes/${commit}`;
}

export async function isKept(git: Git, commit: string): Promise<boolean> {
  return (await git.outcome("rev-parse", "-q", "--verify", refOf(commit))).code === 0;
}

/** The newest commit of the branch that a source follows, as its remote has it now. Throws UserError (2) `node-output` where that is no branch. */
export async function fetchTip(git: Git, source: Source): Promise<string> {
  const { name, tag = "HEAD", location } = source;
  const isBranch = `refs/heads/${tag}`;
  const asked = await git.outcome("fetch", "-q", "--no-tags", "--filter=blob:none", "--force", "origin", isBranch);
  if (asked.code !== 0 && asked.stderr.includes(isBranch)) {
    const message = `Nothing can be put into the source ${name}: ${tag} is no branch of ${shown(location)}`;
    throw inputError({ code: "node-output", message, at: [], hint: "Name a branch: dagger source pin NAME LOCATION --tag BRANCH" });
  }
  if (asked.code !== 0) throw gitFailure(asked.stderr, source);
  return (await git("rev-parse", "FETCH_HEAD^{commit}")).trim();
}

/** A directory with the files of a commit that its remote does not have; undefined where it is not kept here. */
export async function keptFiles(source: Source, commit: string, scope: PlaceScope): Promise<string | undefined> {
  const place = placeOf(source, scope);
  if (!existsSync(place)) return undefined;
  const dir = join(scope.workspace.state, "pushes", `files-${commit}`);
  if (existsSync(dir)) return dir;
  return inPushes(source, scope, async (git) => {
    if (!(await isKept(git, commit))) return undefined;
    const fresh = `${dir}.${randomBytes(6).toString("hex")}`;
    try {
      await mkdir(fresh, { recursive: true });
      const own = git.with({
        GIT_INDEX_FILE: join(fresh, "..", `index.${randomBytes(6).toString("hex")}`),
        GIT_WORK_TREE: fresh,
        GIT_DIR: git.dir,
      });
      await own("-c", "core.bare=false", "read-tree", "--reset", "-u", commit);
      await rename(fresh, dir).catch((error: unknown) => {
        if (!existsSync(dir)) throw error;
      });
      return dir;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

/** Forgets what was only needed until its remote had it. */
export async function letGo(git: Git, commit: string, scope: PlaceScope): Promise<void> {
  await git("update-ref", "-d", refOf(commit));
  await rm(join(scope.workspace.state, "pushes", `files-${commit}`), { recursive: true, force: true });
}
