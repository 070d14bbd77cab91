// What a command left in its outputs, on its way into their sources: directories and buckets.
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { directoryOf } from "../sources/ask/path.ts";
import { openBucket } from "../sources/ask/s3.ts";
import type { Source } from "../sources/source.ts";
import type { AskScope } from "../sources/versions.ts";

/** Throws UserError (2) `node-output` for a source that nothing can be put into. */
export function checkOutput({ name, kind, pin }: Source): void {
  const why = kind !== "path" && kind !== "s3" ? `it is of kind ${kind}` : pin === undefined ? undefined : "it is pinned";
  if (why === undefined) return;
  const hint =
    kind === "path" || kind === "s3" ? `Let it change: dagger source unpin ${name}` : "Give results to a source of kind path or s3";
  throw inputError({ code: "node-output", message: `Nothing can be put into the source ${name}: ${why}`, at: [], hint });
}

/** Adds the files of a directory to a source; those of the same path are replaced. */
export async function give(source: Source, dir: string, scope: AskScope): Promise<void> {
  if (source.kind === "s3") {
    const bucket = await openBucket(source, scope);
    for (const path of await filesBelow(dir)) await bucket.put(path, await readFile(join(dir, path)));
    return;
  }
  const target = directoryOf(source, scope.workspace.root);
  try {
    await mkdir(target, { recursive: true });
    await cp(dir, target, { recursive: true, force: true, preserveTimestamps: true, verbatimSymlinks: true });
  } catch (cause) {
    const message = `Cannot put results into the source ${source.name}: ${(cause as Error).message}`;
    throw new UserError(3, [{ code: "output-not-written", message, at: [], hint: "Check the directory and its permissions" }], { cause });
  }
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(dir, join(entry.parentPath, entry.name)));
  return files.map((file) => file.split(sep).join("/")).sort();
}
