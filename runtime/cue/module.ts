// The CUE module around a directory: cue.mod/module.cue, found upwards.
import path from "node:path";
import { inputError } from "../../compiler/diagnostic.ts";
import { Disk } from "./disk.ts";
import type { Evaluator } from "./evaluate.ts";
import { displayName, readCueFile } from "./files.ts";
import type { Module } from "./layout.ts";

/** The nearest directory upwards that has a `cue.mod` directory. Throws UserError (2) when its module.cue is wrong. */
export async function findModule(disk: Disk, dir: string, cwd: string, evaluator: Evaluator): Promise<Module | undefined> {
  for (let root = dir; ; root = path.dirname(root)) {
    if (disk.kind(path.join(root, "cue.mod")) === "directory") return readModule(disk, root, cwd, evaluator);
    if (root === path.dirname(root)) return undefined;
  }
}

/** The module around a directory, for whom the files seen do not matter. Throws UserError (2). */
export function findModuleAt(dir: string, cwd: string, evaluator: Evaluator): Promise<Module | undefined> {
  return findModule(new Disk(), dir, cwd, evaluator);
}

async function readModule(disk: Disk, root: string, cwd: string, evaluator: Evaluator): Promise<Module> {
  const file = path.join(root, "cue.mod", "module.cue");
  if (disk.kind(file) === "none") return { root, path: "", version: "" };
  const name = displayName(file, cwd);
  const data = (await evaluator.data(readCueFile(disk, file, name))) as ModuleFile;
  const module = data.module ?? "";
  if (typeof module !== "string") {
    throw inputError({
      code: "cue-import",
      message: "The module path must be a string",
      path: "module",
      hint: 'Write it in quotes, e.g. module: "example.com/app"',
      at: [{ file: name, line: 1, column: 1 }],
    });
  }
  const version = data.language?.version;
  if (version !== undefined && (typeof version !== "string" || !/^v\d+\.\d+(\.\d+)?(-[\w.-]+)?$/.test(version))) {
    throw inputError({
      code: "cue-import",
      message: "The language version must be a version of CUE",
      path: "language.version",
      at: [{ file: name, line: 1, column: 1 }],
      hint: 'Write it as language: version: "v0.17.0"',
    });
  }
  return {
    root,
    path: module.replace(/@v\d+$/, ""),
    version: typeof version === "string" ? version : "",
    file: { name, data, ...(await readLocal(disk, root, cwd, evaluator)) },
  };
}

/** What this machine alone says about dependencies: cue.mod/local-module.cue. */
async function readLocal(disk: Disk, root: string, cwd: string, evaluator: Evaluator) {
  const file = path.join(root, "cue.mod", "local-module.cue");
  if (disk.kind(file) !== "file") return {};
  const name = displayName(file, cwd);
  return { local: { name, data: await evaluator.data(readCueFile(disk, file, name)) } };
}

interface ModuleFile {
  readonly module?: unknown;
  readonly language?: { readonly version?: unknown };
}
