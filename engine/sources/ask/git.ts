// Versions of git repositories: commits, or, of a path, what it was in the commits that changed it.
import { shown } from "../../stacks/git.ts";
import type { Source } from "../source.ts";
import type { Answer, AskScope, Seen } from "../versions.ts";
import { gone } from "./errors.ts";
import { type Git, inMirror } from "./mirror.ts";

/** So many commits are looked at; older ones are found when they are named. */
const most = 1000;

/** Throws UserError: 2 `source-gone`, 3 `source-unreachable`, `git-missing`. */
export async function askGit(source: Source, scope: AskScope): Promise<Answer> {
  return inMirror(source, scope, async (git) => {
    const ref = source.tag ?? "HEAD";
    await git("fetch", "-q", "--no-tags", "--filter=blob:none", "--force", "origin", ref);
    const commit = (await git("rev-parse", "FETCH_HEAD^{commit}")).trim();
    const commits = parseLog(await git("log", `--max-count=${most}`, "--format=%H%x09%ct%x09%s", commit, ...only(source.path)));
    const all = await seen(git, commits, source);
    if (source.path === undefined) return { current: all.at(-1) as Seen, all };
    const [now] = await seen(git, [{ ...(commits[0] as Commit), commit }], source);
    if (now === undefined) throw gone(source.name, `${ref} of ${shown(source.location)} has no ${source.path}`);
    // The commit that changed it last is the one that people know.
    const current = all.at(-1) ?? now;
    return { current: current.id === now.id ? current : now, all: current.id === now.id ? all : [...all, now] };
  });
}

/** A commit that is older than those, or of another branch. Undefined: the repository does not have it. */
export async function askCommit(source: Source, commit: string, scope: AskScope): Promise<Seen | undefined> {
  return inMirror(source, scope, async (git) => {
    const has = (): Promise<boolean> =>
      git("cat-file", "-e", `${commit}^{commit}`).then(
        () => true,
        () => false,
      );
    if (!(await has())) await git("fetch", "-q", "--no-tags", "--filter=blob:none", "origin", commit).catch(() => "");
    if (!(await has()))
      await git("fetch", "-q", "--no-tags", "--filter=blob:none", "origin", "+refs/heads/*:refs/dagger/*").catch(() => "");
    return (await has()) ? seenCommit(git, commit, source) : undefined;
  });
}

/** A commit that the repository has, as a version of a source; undefined where it does not have the source's path. */
export async function seenCommit(git: Git, commit: string, source: Source): Promise<Seen | undefined> {
  return (await seen(git, parseLog(await git("log", "--max-count=1", "--format=%H%x09%ct%x09%s", commit)), source))[0];
}

/** The branch that HEAD of a repository is; undefined when it does not say. Throws as `askGit`. */
export async function askHead(source: Source, scope: AskScope): Promise<string | undefined> {
  return inMirror(source, scope, async (git) => {
    const told = await git("ls-remote", "--symref", "--", "origin", "HEAD");
    return /^ref: refs\/heads\/(\S+)\s+HEAD$/m.exec(told)?.[1];
  });
}

interface Commit {
  readonly commit: string;
  readonly time: string;
  readonly subject: string;
}

/** Newest first, as git tells them. */
function parseLog(text: string): Commit[] {
  return text.split("\n").flatMap((line) => {
    const [commit = "", time = "", ...subject] = line.split("\t");
    return commit === "" ? [] : [{ commit, time: new Date(Number(time) * 1000).toISOString(), subject: subject.join("\t") }];
  });
}

/** Oldest first. Commits that do not have the path are left out. */
async function seen(git: Git, commits: readonly Commit[], { path }: Source): Promise<Seen[]> {
  const ids = path === undefined ? commits.map(({ commit }) => commit) : await objects(git, commits, path);
  return commits
    .flatMap((one, index): Seen[] => {
      const id = ids[index];
      return id === undefined ? [] : [{ id: `${algorithmOf(id)}:${id}`, detail: { ...one } }];
    })
    .reverse();
}

/** What a path is in each commit: the hash of its tree or file; undefined where it is not. */
async function objects(git: Git, commits: readonly Commit[], path: string): Promise<(string | undefined)[]> {
  const wanted = commits.map(({ commit }) => `${commit}:${path.slice(1)}\n`).join("");
  const told = await git.pipe(wanted, "cat-file", "--batch-check=%(objectname)");
  return told.split("\n").map((line) => (/^[0-9a-f]+$/.test(line) ? line : undefined));
}

function algorithmOf(hash: string): string {
  return hash.length === 64 ? "sha256" : "sha1";
}

function only(path: string | undefined): readonly string[] {
  return path === undefined ? [] : ["--", path.slice(1)];
}
