// The workspace: the directory with `.dagger/`, where stacks, environments and settings are kept. Found from every directory below it.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export interface Workspace {
  /** Absolute directory that has `.dagger/`. */
  readonly root: string;
  /** `.dagger/`: what lies here is meant for version control, but for `state`. */
  readonly dir: string;
  /** `.dagger/state/`: of this machine only. May not be there yet. */
  readonly state: string;
}

/** The workspace around `start`, an absolute directory; undefined when there is none. Only looks: nothing is read. */
export function findWorkspace(start: string): Workspace | undefined {
  for (let root = start; ; root = dirname(root)) {
    if (existsSync(markerOf(root))) return at(root);
    if (root === dirname(root)) return undefined;
  }
}

/** The workspace whose root is `root`, whether it is there or not. */
export function at(root: string): Workspace {
  const dir = join(root, ".dagger");
  return { root, dir, state: join(dir, "state") };
}

/** The file by which a workspace is known. */
export function markerOf(root: string): string {
  return join(root, ".dagger", "workspace.json");
}

/** Root of the workspace that a run of a config is in: that of its stack, or the one around the config. Undefined when there is none. */
export function rootOf(of: {
  readonly cwd: string;
  readonly dir: string;
  readonly stack?: { readonly root: string } | undefined;
}): string | undefined {
  return of.stack?.root ?? findWorkspace(resolve(of.cwd, of.dir))?.root;
}

/** Where connectors are kept. May not be there. */
export function connectorsDir({ dir }: Pick<Workspace, "dir">): string {
  return join(dir, "connectors");
}
