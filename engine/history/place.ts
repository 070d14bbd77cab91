// Where a run is remembered: the store of the workspace around its config, or none.
import { statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { StoreLocation } from "../store/index.ts";
import { findWorkspace } from "../workspace/find.ts";

export interface RunPlace {
  /** Root of the workspace. */
  readonly root: string;
  readonly location: StoreLocation;
  /** Slugs; for a config outside of stacks "" and its directory in the workspace, as `./ci`. */
  readonly stack: string;
  readonly env: string;
  /** What only one run may have at a time. */
  readonly lease?: string;
}

/** What a run is of. */
export interface RunSubject {
  readonly cwd: string;
  /** Directory or file of the config. */
  readonly dir: string;
  /** The environment of a stack whose config it is. */
  readonly stack?: { readonly stack: string; readonly environment: string; readonly root: string };
}

/** Undefined where there is no workspace: then nothing is remembered. */
export function placeOf({ cwd, dir, stack }: RunSubject): RunPlace | undefined {
  if (stack !== undefined) {
    const lease = `env:${stack.stack}/${stack.environment}`;
    return { root: stack.root, location: storeOf(stack.root), stack: stack.stack, env: stack.environment, lease };
  }
  const target = resolve(cwd, dir);
  const start = statSync(target, { throwIfNoEntry: false })?.isFile() === true ? dirname(target) : target;
  const root = findWorkspace(start)?.root;
  if (root === undefined) return undefined;
  return { root, location: storeOf(root), stack: "", env: envOf(root, target) };
}

/** How a config outside of stacks is called where an environment's slug would stand: no slug looks like it. */
export function envOf(root: string, target: string): string {
  return `./${relative(root, target).split(sep).join("/")}`;
}

export function storeOf(root: string): { readonly file: string } {
  return { file: join(root, ".dagger", "state", "store.db") };
}
