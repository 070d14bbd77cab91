// The workspace: the directory with `.dagger/`, where stacks, environments and settings are kept. Found from every directory below it.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

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
