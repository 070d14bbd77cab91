// Repositories of sources as git has them on this machine, without the contents of files until these are needed: one in the cache for all who ask.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../../../compiler/index.ts";
import { cacheDir } from "../../../runtime/directories.ts";
import { withLock } from "../../../runtime/lock.ts";
import { type Connector, readConnectors } from "../../connectors/connector.ts";
import { quietGit, withGitLogin } from "../../connectors/git-login.ts";
import { resolveReference } from "../../secrets/sources.ts";
import { shown } from "../../stacks/git.ts";
import type { Source } from "../source.ts";
import type { PlaceScope } from "../versions.ts";
import { gone, unreachable } from "./errors.ts";

/** git in one repository. Where it fails: UserError, 2 `source-gone`, 3 `source-unreachable`, `git-missing`. */
export interface Git extends GitCalls {
  /** What it prints. */
  (...args: readonly string[]): Promise<string>;
}

interface GitCalls {
  /** With something to read. */
  pipe(input: string | Uint8Array, ...args: readonly string[]): Promise<string>;
  /** Whatever comes of it. */
  outcome(...args: readonly string[]): Promise<GitOutcome>;
  /** The same repository with further variables. */
  with(env: Readonly<Record<string, string>>): Git;
  readonly dir: string;
}

export interface GitOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `work` with git in the mirror of a source's repository, while no other process of the user does. */
export async function inMirror<T>(source: Source, scope: PlaceScope, work: (git: Git) => Promise<T>): Promise<T> {
  return inRepository(join(cacheDir(scope.env), "sources", keyOf(source, scope)), source, scope, work);
}

/** A name for the repository of a source among directories. */
export function keyOf(source: Source, { workspace }: Pick<PlaceScope, "workspace">): string {
  return createHash("sha256").update(remoteOf(source, workspace.root)).digest("hex").slice(0, 32);
}

/** The same in a bare repository at another place, which is made where it is not there; `origin` is the source's. */
export async function inRepository<T>(dir: string, source: Source, scope: PlaceScope, work: (git: Git) => Promise<T>): Promise<T> {
  const { env, signal, workspace } = scope;
  const connector = await gitConnector(source, scope);
  const use = (around: PlaceScope["env"]): Promise<T> =>
    withLock(
      `${dir}.lock`,
      async () => {
        const git = gitIn({ cwd: dir, env: around, signal }, source);
        if (!existsSync(join(dir, "HEAD"))) {
          await mkdir(dir, { recursive: true, mode: 0o700 });
          await git("init", "-q", "--bare");
          await git("remote", "add", "origin", remoteOf(source, workspace.root));
        }
        return work(git);
      },
      signal,
    );
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
  if (connector === undefined) return use(quietGit(env));
  const root = workspace.root;
  const token = await resolveReference(`connector:${connector.name}.token`, { ...scope, cwd: root, root });
  const text = Buffer.from(token ?? "")
    .toString("utf8")
    .trim();
  return withGitLogin(connector.fields, text, env, use);
}

/** The connector whose repositories a source is one of: the one that says most of its address. */
export async function gitConnector(source: Source, { workspace, cwd }: PlaceScope): Promise<Connector | undefined> {
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

interface Around {
  readonly cwd: string;
  readonly env: PlaceScope["env"];
  readonly signal: AbortSignal;
}

function gitIn(around: Around, source: Source): Git {
  const pipe: Git["pipe"] = async (input, ...args) => {
    const done = await runGit(args, around, input);
    if (done.code === 0) return done.stdout;
    throw gitFailure(done.stderr, source);
  };
  const calls: GitCalls = {
    pipe,
    outcome: (...args) => runGit(args, around, ""),
    with: (env) => gitIn({ ...around, env: { ...around.env, ...env } }, source),
    dir: around.cwd,
  };
  return Object.assign((...args: readonly string[]) => pipe("", ...args), calls);
}

function runGit(args: readonly string[], { cwd, env, signal }: Around, input: string | Uint8Array): Promise<GitOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd, env: { ...env }, signal, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined); // it may end without reading
    child.stdin.end(input);
    const [out, errors]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (part: Buffer) => out.push(part));
    child.stderr.on("data", (part: Buffer) => errors.push(part));
    const interrupted = (): void => reject(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
    child.once("error", (cause) => {
      if (signal.aborted) return interrupted();
      const message = "The program git is not installed";
      reject(
        new UserError(3, [{ code: "git-missing", message, at: [], hint: "Install git: versions of git sources are asked with it" }], {
          cause,
        }),
      );
    });
    child.once("close", (code) => {
      // Of a process that had ended by itself when the signal came there is no error before.
      if (signal.aborted) return interrupted();
      resolve({ code: code ?? 1, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(errors).toString("utf8") });
    });
  });
}

/** What git says was wrong, in one line. */
export function reasonOf(stderr: string, { location }: Pick<Source, "location">): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((one) => /^(fatal|error|remote):/i.test(one)) ?? lines[0] ?? "git failed";
  return line.replace(/^\w+:\s*/, "").replaceAll(location, shown(location));
}

/** UserError: 2 `source-gone`, 3 `source-unreachable`. */
export function gitFailure(stderr: string, source: Source): Error {
  const why = reasonOf(stderr, source);
  const isGone = /not found|does not appear to be a git|couldn't find remote ref|no such (file|ref)|does not exist/i.test(stderr);
  return isGone ? gone(source.name, why) : unreachable(source.name, why);
}
