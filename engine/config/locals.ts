// Checks the directories that a graph uploads, before anything runs: they exist, are directories, and lie in the workspace.
import { readlink, realpath, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import type { Diagnostic, Job } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";

/** Throws UserError (2) that names every `local` directory that cannot be used. `own` are directories of dagger itself. */
export async function checkLocals(
  locals: Job["locals"],
  workspace: { readonly root: string; readonly own: readonly string[] },
): Promise<void> {
  const foreign = locals.filter(({ dir }) => !workspace.own.includes(dir));
  // A run that is done again may have lost its directory, and need nothing of it.
  if (foreign.length === 0) return;
  const root = await realpath(workspace.root);
  const found = await Promise.all(foreign.map((local) => checkLocal(local, root, workspace.root)));
  const wrong = found.filter((diagnostic) => diagnostic !== undefined);
  if (wrong.length > 0) throw inputError(...wrong);
}

async function checkLocal(local: Job["locals"][number], root: string, shownRoot: string): Promise<Diagnostic | undefined> {
  const shown = relative(shownRoot, local.dir) || ".";
  const say = (code: string, message: string, hint: string): Diagnostic => ({ code, message, at: local.at, hint });
  let real: string;
  try {
    real = await realpath(local.dir);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return say(
      "local-not-found",
      missing ? `Local directory ${shown} does not exist` : `Cannot read local directory ${shown}: ${(error as Error).message}`,
      "The path is relative to the directory of the config; create it or correct `dir`",
    );
  }
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
    return say(
      "path-outside-workspace",
      `Local directory ${shown} leads outside the workspace, through a symbolic link`,
      "Only directories below the workspace (where cue.mod lies) can be uploaded",
    );
  }
  if (!(await stat(real)).isDirectory()) {
    return say(
      "local-not-directory",
      `Local path ${shown} is a file, not a directory`,
      "Name its directory and choose the file with `include`",
    );
  }
  return undefined;
}

/** Throws UserError (2) when an archive would be written outside the workspace through a symbolic link. */
export async function checkArchives(images: Job["images"], workspace: string): Promise<void> {
  if (!images.some(({ target }) => target.kind === "save")) return;
  const root = await realpath(workspace);
  const wrong: Diagnostic[] = [];
  for (const { target, at } of images) {
    if (target.kind !== "save") continue;
    const real = await nearestReal(target.dest);
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) continue;
    wrong.push({
      code: "path-outside-workspace",
      message: `Archive ${relative(workspace, target.dest)} leads outside the workspace, through a symbolic link`,
      at,
      hint: "Archives can only be written below the workspace (where cue.mod lies)",
    });
  }
  if (wrong.length > 0) throw inputError(...wrong);
}

/** The real path of a file, or of the innermost directory above it that is there. */
async function nearestReal(path: string): Promise<string> {
  for (let current = path; ; current = dirname(current)) {
    try {
      return await realpath(current);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || current === dirname(current)) throw error;
      // A link to nothing is there, though its target is not.
      const link = await readlink(current).catch(() => undefined);
      if (link !== undefined) return nearestReal(resolve(dirname(current), link));
    }
  }
}
