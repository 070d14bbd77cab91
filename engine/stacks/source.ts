// Finds the config of a stack on this machine: its directory, or what is fetched for it.
import { statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Diagnostic } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";
import { displayName } from "../../runtime/cue/index.ts";
import { placeModule } from "../modules/modules.ts";
import type { Workspace } from "../workspace/find.ts";
import type { GitRequest } from "./git.ts";
import { fetchCommit, fetchRef, shown } from "./git.ts";
import type { ConfigSource, Stack } from "./stack.ts";

/** What a person gives as the config of a stack: one of `dir`, `git` and `module`. */
export interface SourceWish {
  /** Relative to the request's directory. */
  readonly dir?: string;
  readonly git?: string;
  /** Branch, tag or commit; HEAD without it. */
  readonly ref?: string;
  /** `example.com/ci`, `example.com/ci@v0.3.1`. */
  readonly module?: string;
  /** Directory of the config in the repository or module. */
  readonly subdir?: string;
}

export interface FoundConfig {
  /** Absolute. */
  readonly dir: string;
  /** It lies in a cache: what a run saves goes to the workspace instead. */
  readonly cached: boolean;
}

/** Throws UserError (2) `config-not-found` and those of git and modules. */
export async function findConfig(workspace: Workspace, stack: Stack, request: GitRequest): Promise<FoundConfig> {
  const { config } = stack;
  switch (config.kind) {
    case "dir": {
      const dir = resolve(workspace.root, config.dir);
      checkDir(dir, {
        code: "config-not-found",
        message: `The config of the stack ${stack.slug} is gone: there is no directory ${displayName(dir, request.cwd)}`,
        at: [],
        hint: `Say where it is now: dagger stack edit ${stack.slug} --dir DIR`,
      });
      return { dir, cached: false };
    }
    case "git":
      return { dir: below(await fetchCommit(config.remote, config.ref, config.commit, request), config), cached: true };
    case "module":
      return { dir: below((await placeModule({ ...request, module: config.module, version: config.version })).dir, config), cached: true };
  }
}

/** Looks a source up, so that a stack is only made of one that is there. Throws as `findConfig`. */
export async function readWish(workspace: Workspace, wish: SourceWish, request: GitRequest): Promise<ConfigSource> {
  const { dir, git, module } = wish;
  const given = [dir, git, module].filter((one) => one !== undefined);
  if (given.length > 1) throw conflicting("Only one of --dir, --git and --module says where a config is");
  if (dir !== undefined || given.length === 0) {
    if (wish.ref !== undefined || wish.subdir !== undefined) throw conflicting("--ref and --subdir belong to --git or --module");
    return wishedDir(workspace, dir ?? ".", request.cwd);
  }
  const subdir = wish.subdir === undefined ? {} : { subdir: wish.subdir };
  if (git !== undefined) {
    const ref = wish.ref ?? "HEAD";
    // A path of this machine would mean something else in another directory.
    const remote = /^\.{1,2}(\/|$)/.test(git) ? resolve(request.cwd, git) : git;
    if (/^\w+:\/\/[^/@:]+:[^/@]+@/.test(remote)) {
      throw inputError({
        code: "bad-git-config",
        message: `The address ${shown(remote)} has a password, which would be kept in a file of the workspace`,
        at: [],
        hint: "Leave it out, and let git's credential helper give it",
      });
    }
    const { commit, dir: fetched } = await fetchRef(remote, ref, request);
    below(fetched, { ...wish, remote });
    return { kind: "git", remote, ref, commit, ...subdir };
  }
  if (wish.ref !== undefined) throw conflicting("--ref belongs to --git; a module has its version behind @");
  const [path = "", version = "latest"] = (module ?? "").split("@");
  const placed = await placeModule({ ...request, module: path, version });
  below(placed.dir, { ...wish, module: path });
  return { kind: "module", module: path, version: placed.version, ...subdir };
}

/** As it is kept: relative below the workspace, so that it means the same on every machine. */
export function keptPath(workspace: Workspace, path: string): string {
  const inside = relative(workspace.root, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : (inside || ".").split(sep).join("/");
}

function wishedDir(workspace: Workspace, dir: string, cwd: string): ConfigSource {
  const target = resolve(cwd, dir);
  const hint = "Give a directory with CUE files, e.g. --dir ./ci";
  checkDir(target, { code: "config-not-found", message: `There is no directory ${dir}`, at: [], hint });
  return { kind: "dir", dir: keptPath(workspace, target) };
}

function below(
  root: string,
  { subdir = ".", ...from }: { readonly subdir?: string; readonly remote?: string; readonly module?: string },
): string {
  const dir = join(root, subdir);
  const hint = "Name a directory that it has with --subdir";
  const message = `${shown(from.remote ?? from.module ?? "")} has no directory ${subdir}`;
  if (relative(root, dir).startsWith("..")) throw inputError({ code: "config-not-found", message, at: [], hint });
  checkDir(dir, { code: "config-not-found", message, at: [], hint });
  return dir;
}

function checkDir(dir: string, missing: Diagnostic): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) throw inputError(missing);
}

function conflicting(message: string): Error {
  return inputError({ code: "conflicting-flags", message, at: [], hint: "Run `dagger stack new --help` to see what it takes" });
}
