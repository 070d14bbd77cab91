// Where a run is remembered: the store of the workspace around its config, or none.
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { StoreChoice, Surroundings } from "../request.ts";
import type { StoreLocation } from "../store/index.ts";
import { findWorkspace } from "../workspace/find.ts";

export interface RunPlace {
  /** Root of the workspace. */
  readonly root: string;
  readonly location: StoreLocation;
  readonly tenant: string;
  /** Slugs; for a config outside of stacks "" and its directory in the workspace, as `./ci`. */
  readonly stack: string;
  readonly env: string;
  /** What only one run may have at a time. */
  readonly lease?: string;
}

/** What a run is of. */
export interface RunSubject extends Pick<Surroundings, "store"> {
  readonly cwd: string;
  /** Directory or file of the config. */
  readonly dir: string;
  /** The environment of a stack whose config it is. */
  readonly stack?: { readonly stack: string; readonly environment: string; readonly root: string };
}

/** Undefined where there is neither a store nor a workspace: then nothing is remembered. */
export function placeOf({ cwd, dir, stack, store }: RunSubject): RunPlace | undefined {
  if (stack !== undefined) {
    const lease = `env:${stack.stack}/${stack.environment}`;
    return { root: stack.root, ...storeOf(stack.root, store), stack: stack.stack, env: stack.environment, lease };
  }
  const target = resolve(cwd, dir);
  const start = statSync(target, { throwIfNoEntry: false })?.isFile() === true ? dirname(target) : target;
  const root = findWorkspace(start)?.root ?? (store === undefined ? undefined : cwd);
  if (root === undefined) return undefined;
  return { root, ...storeOf(root, store), stack: "", env: envOf(root, target) };
}

/** How a config outside of stacks is called where an environment's slug would stand: no slug looks like it. */
export function envOf(root: string, target: string): string {
  return `./${relative(root, target).split(sep).join("/")}`;
}

/** The store that was chosen, or else that of a workspace. */
export function storeOf(root: string, { location, tenant = "" }: Partial<StoreChoice> = {}): Required<StoreChoice> {
  return { location: location ?? { file: join(root, ".dagger", "state", "store.db") }, tenant };
}

/** Whether anything was ever remembered there; nobody knows it of a server before asking. */
export function isThere({ location }: StoreChoice): boolean {
  return "url" in location || existsSync(location.file);
}
