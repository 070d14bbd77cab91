// Where a watch in the background keeps what others know it by: below the ignored part of its workspace, or the user's caches.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { cacheDir } from "../../runtime/directories.ts";
import type { ReadRequest } from "../request.ts";
import { at, findWorkspace, rootOf } from "../workspace/find.ts";

export interface Place {
  /** Absolute. */
  readonly dir: string;
  /** What it watches, for people: `app/staging`, or a directory. */
  readonly of: string;
}

/** What one watch is about. */
export type PlaceRequest = Pick<ReadRequest, "cwd" | "dir" | "env" | "stack">;

/** One for each environment of a stack, and for each directory. */
export function placeOf({ cwd, dir, env, stack }: PlaceRequest): Place {
  if (stack !== undefined) {
    const { root, stack: name, environment } = stack;
    return { dir: join(at(root).state, "watches", `${name}--${environment}`), of: `${name}/${environment}` };
  }
  const config = resolve(cwd, dir);
  const root = rootOf({ cwd, dir });
  const name = createHash("sha256")
    .update(root === undefined ? config : relative(root, config))
    .digest("hex")
    .slice(0, 16);
  return { dir: join(baseOf(root, env), `dir-${name}`), of: config };
}

/** Directories of all watches of the workspace around `cwd`, or of those without one. */
export function placesAround({ cwd, env }: Pick<PlaceRequest, "cwd" | "env">): readonly string[] {
  const base = baseOf(findWorkspace(cwd)?.root, env);
  try {
    return readdirSync(base)
      .sort()
      .map((name) => join(base, name));
  } catch {
    return [];
  }
}

function baseOf(root: string | undefined, env: PlaceRequest["env"]): string {
  return root === undefined ? join(cacheDir(env), "watches") : join(at(root).state, "watches");
}
