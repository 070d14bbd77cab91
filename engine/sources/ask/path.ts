// Versions of directories: a digest over names, permissions and contents of the files in them.
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { listFiles } from "../../../runtime/session/index.ts";
import { FileDigests } from "../../provenance/files.ts";
import type { Workspace } from "../../workspace/find.ts";
import type { Source } from "../source.ts";
import type { Answer } from "../versions.ts";
import { gone } from "./errors.ts";

/** What dagger keeps about a workspace is no part of its data. */
export const excluded: readonly string[] = ["**/.dagger"];

/** Absolute. */
export function directoryOf({ location, path = "" }: Source, root: string): string {
  return join(resolve(root, location), path);
}

/** One that the workspace made for itself may not be there yet: nothing is in it. */
export async function askPath(source: Source, workspace: Workspace): Promise<Answer> {
  const dir = directoryOf(source, workspace.root);
  if (isOwn(source) && !existsSync(dir)) await mkdir(dir, { recursive: true });
  const about = await stat(dir).catch(() => undefined);
  if (about?.isDirectory() !== true) throw gone(source.name, `there is no directory ${dir}`);
  const real = await realpath(dir);
  const top = await realpath(resolve(workspace.root, source.location));
  if (real !== top && !real.startsWith(top + sep)) throw gone(source.name, `${dir} leads out of ${top}, through a symbolic link`);
  const digests = new FileDigests(join(workspace.state, "files"), Date.now);
  const files = await digests.list(listFiles(source.name, dir, { include: [], exclude: excluded, follow: [] }));
  const detail = { url: `file://${dir}`, files: `${Object.keys(files).length}` };
  const current = { id: `sha256:${hash("sha256", JSON.stringify(files))}`, detail };
  return { current, all: [current] };
}

/** A directory that the workspace keeps in its state. */
export function isOwn({ kind, location }: Source): boolean {
  return kind === "path" && location.startsWith(".dagger/state/sources/");
}
