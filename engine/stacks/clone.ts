// dagger clone: a repository with a workspace, brought to this machine and made ready.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { quietGit, withGitLogin } from "../connectors/git-login.ts";
import { type KeptTokens, keepTokens, type Tokens } from "../connectors/tokens.ts";
import type { Surroundings } from "../request.ts";
import { isReference } from "../secrets/reference.ts";
import { resolveReference } from "../secrets/sources.ts";
import { readSources } from "../sources/source.ts";
import { at, markerOf } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { shown } from "./git.ts";

export interface CloneRequest extends Surroundings {
  /** An address as git takes it, or USER/REPOSITORY of GitHub. */
  readonly repository: string;
  /** The repository's name without it. */
  readonly dir?: string;
  readonly tokens?: Tokens;
  readonly signal: AbortSignal;
}

export interface Cloned extends KeptTokens {
  /** Absolute. */
  readonly root: string;
  /** Names of its sources. */
  readonly sources: readonly string[];
}

/** Throws UserError: 2 `bad-clone`, `clone-exists`, `no-workspace`, `bad-token`; 3 `git-missing`, `clone-failed`. */
export async function cloneWorkspace(request: CloneRequest): Promise<Cloned> {
  const { cwd, tokens = {} } = request;
  const address = addressOf(request.repository, cwd);
  const name = /([^/:]+?)(?:\.git)?\/*$/.exec(address)?.[1] ?? "";
  const root = resolve(cwd, request.dir ?? name);
  if (existsSync(root) && (await readdir(root)).length > 0) {
    throw inputError({
      code: "clone-exists",
      message: `The directory ${root} has files already`,
      at: [],
      hint: "Name another directory behind the repository",
    });
  }
  await clone(address, root, request);
  if (!existsSync(markerOf(root))) {
    const message = `The repository ${shown(address)} is cloned to ${root}, and has no workspace`;
    throw inputError({ code: "no-workspace", message, at: [], hint: "Make one there: dagger init, or give the repository that has one" });
  }
  const workspace = await openWorkspace(".", root);
  await mkdir(workspace.state, { recursive: true });
  const sources = await readSources(workspace, root);
  for (const { kind, location } of sources)
    if (kind === "path" && location.startsWith(".dagger/state/")) await mkdir(join(root, location), { recursive: true });
  const kept = await keepTokens({ ...request, cwd: root }, tokens);
  return { root: at(root).root, sources: sources.map((one) => one.name), ...kept };
}

function addressOf(repository: string, cwd: string): string {
  if (repository === "" || repository.startsWith("-") || repository.startsWith("ext::")) {
    const message = `${JSON.stringify(repository)} is no address of a git repository`;
    throw inputError({ code: "bad-clone", message, at: [], hint: "Write for example: dagger clone https://example.com/shop.git" });
  }
  if (/^\w[\w+]*:\/\/|^[\w.-]+@[\w.-]+:/.test(repository)) return repository;
  const isShort = /^[\w.-]+\/[\w.-]+$/.test(repository) && !/^\.{1,2}\//.test(repository) && !existsSync(resolve(cwd, repository));
  return isShort ? `https://github.com/${repository}` : resolve(cwd, repository);
}

async function clone(address: string, root: string, { env, cwd, signal, tokens = {} }: CloneRequest): Promise<void> {
  const { github } = tokens;
  const run = (around: Surroundings["env"]): Promise<void> =>
    git(["clone", "-q", "--", address, root], { env: around, cwd, signal, address });
  if (github === undefined || !address.startsWith("https://github.com/")) return run(quietGit(env));
  const value = isReference(github) ? Buffer.from((await resolveReference(github, { env, cwd })) ?? "").toString("utf8") : github;
  await withGitLogin({ url: "https://github.com" }, value.trim(), env, run);
}

interface Around {
  readonly env: Surroundings["env"];
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly address: string;
}

function git(args: readonly string[], { env, cwd, signal, address }: Around): Promise<void> {
  return new Promise((done, fail) => {
    execFile("git", [...args], { env: { ...env }, cwd, signal, maxBuffer: 1 << 24 }, (error, _, stderr) => {
      if (error === null) return done();
      if (signal.aborted) return fail(new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]));
      if (error.code === "ENOENT") {
        const message = "The program git is not installed";
        return fail(new UserError(3, [{ code: "git-missing", message, at: [], hint: "Install git" }]));
      }
      const lines = stderr.split("\n").filter((line) => line.trim() !== "");
      const why = (lines.find((line) => /^(fatal|error|remote):/i.test(line)) ?? lines[0] ?? "")
        .replace(/^\w+:\s*/, "")
        .replaceAll(address, shown(address));
      const hint = "Check the address, and that `git ls-remote` with it works here";
      fail(new UserError(3, [{ code: "clone-failed", message: `Cannot clone ${shown(address)}: ${why}`, at: [], hint }]));
    });
  });
}
