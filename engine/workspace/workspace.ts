// A workspace that is opened: its files are brought into the format of this dagger, or refused.
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { inputError } from "../../compiler/index.ts";
import type { Workspace } from "./find.ts";
import { findWorkspace, markerOf } from "./find.ts";
import type { JsonFile, JsonObject } from "./json-file.ts";
import { formatJson, readJsonFile, writeWhole } from "./json-file.ts";
import { changing } from "./lock.ts";

/** The format of the files in `.dagger/` that this dagger reads and writes. */
export const currentFormat = 1;

/**
 * Turns files of one format into those of the next, by the format that they have. Each runs under the workspace's lock, may run again after
 * it was interrupted, and gets the directory `.dagger`.
 */
export type Migrations = Readonly<Record<number, (dir: string) => Promise<void>>>;

const migrations: Migrations = {};

/**
 * The workspace around `dir` (a directory or a file), in the format of this dagger. Throws UserError (2) `no-workspace`, `newer-workspace`,
 * `bad-workspace-file`.
 */
export async function openWorkspace(
  dir: string,
  cwd: string,
  known: { readonly migrations: Migrations; readonly format: number } = own,
): Promise<Workspace> {
  const target = resolve(cwd, dir);
  const start = statSync(target, { throwIfNoEntry: false })?.isFile() === true ? dirname(target) : target;
  const workspace = findWorkspace(start);
  if (workspace === undefined) {
    throw inputError({
      code: "no-workspace",
      message: `Not initialized: there is no workspace in ${start} or above it`,
      at: [],
      hint: "Make one with `dagger init`, in the directory that your configs lie in",
    });
  }
  await migrate(workspace, cwd, known);
  return workspace;
}

const own = { migrations, format: currentFormat };

async function migrate(
  workspace: Workspace,
  cwd: string,
  { migrations, format }: { readonly migrations: Migrations; readonly format: number },
): Promise<void> {
  if ((await readFormat(workspace, cwd, format)).format === format) return;
  await changing(workspace, async () => {
    for (;;) {
      // Somebody else may have been faster.
      const found = await readFormat(workspace, cwd, format);
      if (found.format === format) return;
      const step = migrations[found.format];
      if (step === undefined)
        return found.file.fail(["format"], `${found.file.name} has the format ${found.format}, which no dagger ever wrote`);
      await step(workspace.dir);
      await writeWhole(markerOf(workspace.root), formatJson({ ...found.file.data, format: found.format + 1 } satisfies JsonObject));
    }
  });
}

async function readFormat(
  workspace: Workspace,
  cwd: string,
  newest: number,
): Promise<{ readonly file: JsonFile; readonly format: number }> {
  const file = await readJsonFile(markerOf(workspace.root), cwd);
  if (file === undefined) throw new Error(`${markerOf(workspace.root)} has vanished`);
  const { format } = file.data;
  if (typeof format !== "number" || !Number.isInteger(format) || format < 1) {
    return file.fail(
      ["format"],
      `${file.name} says no format: expected a number such as ${newest}, got ${JSON.stringify(format) ?? "nothing"}`,
    );
  }
  if (format > newest) {
    throw inputError({
      code: "newer-workspace",
      message: `The workspace ${workspace.root} has the format ${format}; this dagger knows formats up to ${newest}`,
      at: [{ file: file.name, line: 1, column: 1 }],
      hint: "Use a newer dagger: the one that wrote these files, or a later one",
    });
  }
  return { file, format };
}
