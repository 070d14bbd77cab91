// Versions of git repositories: commits, or, of a path, what it was in the commits that changed it. A mirror without contents is kept in the cache.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../../../compiler/index.ts";
import { cacheDir } from "../../../runtime/directories.ts";
import { withLock } from "../../../runtime/lock.ts";
import { type Connector, readConnectors } from "../../connectors/connector.ts";
import { quietGit, withGitLogin } from "../../connectors/git-login.ts";
import { resolveReference } from "../../secrets/sources.ts";
import { shown } from "../../stacks/git.ts";
import type { Source } from "../source.ts";
import type { Answer, AskScope, Seen } from "../versions.ts";
import { gone, unreachable } from "./errors.ts";

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
    if (!(await has())) return undefined;
    return (await seen(git, parseLog(await git("log", "--max-count=1", "--format=%H%x09%ct%x09%s", commit)), source))[0];
  });
}

/** The branch that HEAD of a repository is; undefined when it does not say. Throws as `askGit`. */
export async function askHead(source: Source, scope: AskScope): Promise<string | undefined> {
  return inMirror(source, scope, async (git) => {
    const told = await git("ls-remote", "--symref", "--", "origin", "HEAD");
    return /^ref: refs\/heads\/(\S+)\s+HEAD$/m.exec(told)?.[1];
  });
}

/** The connector whose repositories a source is one of: the one that says most of its address. */
export async function gitConnector(source: Source, { workspace, cwd }: AskScope): Promise<Connector | undefined> {
  const all = (await readConnectors(workspace, cwd)).filter(({ type }) => type === "git");
  if (source.connector !== undefined) return all.find(({ name }) => name === source.connector);
  const fitting = all.filter(({ fields }) => fields["url"] !== undefined && isBelow(source.location, fields["url"]));
  return fitting.sort((a, b) => (b.fields["url"]?.length ?? 0) - (a.fields["url"]?.length ?? 0))[0];
}

/** The address of a source's repository as git takes it on this machine. */
export function remoteOf({ location }: Source, root: string): string {
  return /^(\w[\w+]*:\/\/|[\w.-]+@[\w.-]+:)/.test(location) ? location : resolve(root, location);
}

function isBelow(address: string, url: string): boolean {
  const base = url.replace(/\/$/, "");
  return address === base || address.startsWith(`${base}/`);
}

interface Git {
  /** What it prints. */
  (...args: readonly string[]): Promise<string>;
  /** With something to read. */
  pipe(input: string, ...args: readonly string[]): Promise<string>;
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

/** Runs `work` with git in the mirror of a repository, while no other process of the user does. */
async function inMirror<T>(source: Source, scope: AskScope, work: (git: Git) => Promise<T>): Promise<T> {
  const { env, signal, workspace } = scope;
  const remote = remoteOf(source, workspace.root);
  const mirror = join(cacheDir(env), "sources", createHash("sha256").update(remote).digest("hex").slice(0, 32));
  const connector = await gitConnector(source, scope);
  const use = (around: AskScope["env"]): Promise<T> =>
    withLock(
      `${mirror}.lock`,
      async () => {
        const pipe: Git["pipe"] = (input, ...args) => runGit(args, { cwd: mirror, env: around, input, signal }, source);
        const git = Object.assign((...args: readonly string[]) => pipe("", ...args), { pipe });
        if (!existsSync(join(mirror, "HEAD"))) {
          await mkdir(mirror, { recursive: true, mode: 0o700 });
          await git("init", "-q", "--bare");
          await git("remote", "add", "origin", remote);
        }
        return work(git);
      },
      signal,
    );
  await mkdir(join(cacheDir(env), "sources"), { recursive: true, mode: 0o700 });
  if (connector === undefined) return use(quietGit(env));
  const root = workspace.root;
  const token = await resolveReference(`connector:${connector.name}.token`, { ...scope, cwd: root, root });
  const text = Buffer.from(token ?? "")
    .toString("utf8")
    .trim();
  return withGitLogin(connector.fields, text, env, use);
}

interface Around {
  readonly cwd: string;
  readonly env: AskScope["env"];
  readonly input: string;
  readonly signal: AbortSignal;
}

function runGit(args: readonly string[], { cwd, env, input, signal }: Around, source: Source): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd, env: { ...env }, signal, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined); // it may end without reading
    child.stdin.end(input);
    const [out, errors]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (part: Buffer) => out.push(part));
    child.stderr.on("data", (part: Buffer) => errors.push(part));
    child.once("error", (cause) => {
      if (signal.aborted) return reject(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
      const message = "The program git is not installed";
      reject(
        new UserError(3, [{ code: "git-missing", message, at: [], hint: "Install git: versions of git sources are asked with it" }], {
          cause,
        }),
      );
    });
    child.once("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString("utf8"));
      else if (!signal.aborted) reject(explained(Buffer.concat(errors).toString("utf8"), source));
    });
  });
}

function explained(stderr: string, source: Source): Error {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((one) => /^(fatal|error|remote):/i.test(one)) ?? lines[0] ?? "git failed";
  const why = line.replace(/^\w+:\s*/, "").replaceAll(source.location, shown(source.location));
  const isGone = /not found|does not appear to be a git|couldn't find remote ref|no such (file|ref)|does not exist/i.test(stderr);
  return isGone ? gone(source.name, why) : unreachable(source.name, why);
}
