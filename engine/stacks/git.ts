// Configs in git repositories: fetched by the system's git into the user's cache, a directory for each commit, which never changes.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { cacheDir } from "../../runtime/directories.ts";
import { isOffline } from "../modules/modules.ts";
import type { Surroundings } from "../request.ts";

export interface GitRequest extends Surroundings {
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
}

/** The commit that a branch, tag or commit of a repository is, and its files. Throws UserError (2) `bad-git-config`, (3) `git-config`, `git-missing`. */
export async function fetchRef(
  remote: string,
  ref: string,
  request: GitRequest,
): Promise<{ readonly commit: string; readonly dir: string }> {
  checkWords(remote, ref);
  if (isOffline(request)) throw offline(remote);
  return inFresh(remote, request, async (fresh) => {
    await fetchInto(fresh, remote, ref, request);
    const commit = (await git(["-C", fresh, "rev-parse", "FETCH_HEAD^{commit}"], request)).trim();
    return { commit, dir: await keep(fresh, remote, commit, request) };
  });
}

/** The files of a commit; `ref` is where it was seen. Asks nobody when they are in the cache. Throws as `fetchRef`. */
export async function fetchCommit(remote: string, ref: string, commit: string, request: GitRequest): Promise<string> {
  checkWords(remote, ref);
  const place = placeOf(remote, commit, request);
  if (existsSync(place)) return place;
  if (isOffline(request)) throw offline(remote);
  return inFresh(remote, request, async (fresh) => {
    // Not every server gives a commit by its hash: then all of the ref is fetched.
    const direct = await fetchInto(fresh, remote, commit, request).then(
      () => true,
      () => false,
    );
    if (!direct) await fetchInto(fresh, remote, ref, request, []);
    const there = await git(["-C", fresh, "cat-file", "-e", `${commit}^{commit}`], request).then(
      () => true,
      () => false,
    );
    if (there) return keep(fresh, remote, commit, request);
    throw inputError({
      code: "git-config-moved",
      message: `The repository ${shown(remote)} has the commit ${commit.slice(0, 12)} no more: ${ref} was rewritten`,
      at: [],
      hint: "Take what it has now: dagger stack edit STACK --update",
    });
  });
}

function checkWords(remote: string, ref: string): void {
  const bad = remote === "" || remote.startsWith("-") || /^ext::/.test(remote) ? remote : /^[^-\s]\S*$/.test(ref) ? undefined : ref;
  if (bad === undefined) return;
  throw inputError({
    code: "bad-git-config",
    message: `${JSON.stringify(shown(bad))} is no ${bad === remote ? "address of a git repository" : "branch, tag or commit"}`,
    at: [],
    hint: "Write for example: --git https://example.com/ci.git --ref main",
  });
}

async function inFresh<T>(remote: string, request: GitRequest, work: (dir: string) => Promise<T>): Promise<T> {
  const fresh = join(cacheDir(request.env), "configs", `fetch.${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(fresh, { recursive: true, mode: 0o700 });
    await git(["init", "-q", fresh], request);
    return await work(fresh);
  } catch (cause) {
    throw cause instanceof UserError ? cause : failed(remote, cause as GitFailure);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function fetchInto(
  dir: string,
  remote: string,
  what: string,
  request: GitRequest,
  depth: readonly string[] = ["--depth=1"],
): Promise<void> {
  await git(["-C", dir, "fetch", "-q", "--no-tags", ...depth, "--", remote, what], request);
}

/** Checks the commit out and puts it where it stays. Somebody else may be faster: it is the same. */
async function keep(fresh: string, remote: string, commit: string, request: GitRequest): Promise<string> {
  const place = placeOf(remote, commit, request);
  if (existsSync(place)) return place;
  await git(["-C", fresh, "-c", "advice.detachedHead=false", "checkout", "-q", commit], request);
  await rm(join(fresh, ".git"), { recursive: true, force: true });
  await rename(fresh, place).catch((error: unknown) => {
    if (!existsSync(place)) throw error;
  });
  return place;
}

function placeOf(remote: string, commit: string, { env }: GitRequest): string {
  return join(cacheDir(env), "configs", `${createHash("sha256").update(remote).digest("hex").slice(0, 16)}-${commit}`);
}

interface GitFailure extends Error {
  readonly code?: string | number | null;
  readonly stderr?: string;
}

function git(args: readonly string[], { env, cwd, signal }: GitRequest): Promise<string> {
  // Nobody is there to answer a question, and the user's hooks and repository are not meant.
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, ...others } = env;
  const options = { cwd, signal, env: { ...others, GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" }, maxBuffer: 1 << 24 };
  return new Promise((resolve, reject) => {
    execFile("git", [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (signal?.aborted === true) reject(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
      else if (error.code === "ENOENT")
        reject(
          new UserError(3, [
            {
              code: "git-missing",
              message: "The program git is not installed",
              at: [],
              hint: "Install git, or give a directory as the config",
            },
          ]),
        );
      else {
        const failure: Error = Object.assign(error, { stderr });
        reject(failure);
      }
    });
  });
}

function failed(remote: string, failure: GitFailure): UserError {
  const lines = (failure.stderr ?? failure.message).split("\n").filter((line) => line.trim() !== "");
  const why = (lines.find((line) => /^(fatal|error|remote):/i.test(line)) ?? lines[0] ?? "")
    .replace(/^\w+:\s*/, "")
    .replaceAll(remote, shown(remote));
  const hint = "Check the address and the ref, and that `git ls-remote` with them works here";
  return new UserError(3, [{ code: "git-config", message: `Cannot fetch ${shown(remote)}: ${why}`, at: [], hint }], { cause: failure });
}

function offline(remote: string): UserError {
  const hint = "Run once without --offline";
  return new UserError(3, [
    { code: "git-config-offline", message: `${shown(remote)} is not in the cache, and nobody is asked with --offline`, at: [], hint },
  ]);
}

/** Without the password that an address may have. */
export function shown(remote: string): string {
  return remote.replace(/^(\w+:\/\/[^/@:]+):[^/@]*@/, "$1:***@");
}
