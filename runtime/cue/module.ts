// The CUE module around a directory: cue.mod/module.cue and cue.mod/local-module.cue, found upwards.
import path from "node:path";
import { inputError } from "../../compiler/diagnostic.ts";
import { Disk } from "./disk.ts";
import type { Evaluator } from "./evaluate.ts";
import { displayName, readCueFile } from "./files.ts";
import type { Module } from "./layout.ts";

/** The nearest directory upwards that has `cue.mod`. Throws UserError (2) when what lies there is wrong. */
export async function findModule(disk: Disk, dir: string, cwd: string, evaluator: Evaluator): Promise<Module | undefined> {
  if (insideCueMod(dir)) {
    throw inputError({
      code: "cue-module",
      message: `${displayName(dir, cwd)} lies inside of cue.mod, where there are no packages to load`,
      at: [],
      hint: "Give a directory of the module, or one below cue.mod/pkg, cue.mod/gen or cue.mod/usr",
    });
  }
  for (let root = dir; ; root = path.dirname(root)) {
    const kind = disk.kind(path.join(root, "cue.mod"));
    if (kind === "directory") return readModule(disk, root, cwd, evaluator, true);
    if (kind !== "none") throw oldModule(displayName(path.join(root, "cue.mod"), cwd));
    if (root === path.dirname(root)) return undefined;
  }
}

/** The module around a directory, for whom the files seen do not matter. Throws UserError (2). */
export function findModuleAt(dir: string, cwd: string, evaluator: Evaluator): Promise<Module | undefined> {
  return findModule(new Disk(), dir, cwd, evaluator);
}

/**
 * Reads the module of a directory that has cue.mod; `main` says that it is the user's own, for which cue.mod/local-module.cue counts.
 * Throws UserError (2) with all that is wrong in its files.
 */
export async function readModule(disk: Disk, root: string, cwd: string, evaluator: Evaluator, main: boolean): Promise<Module> {
  const [file, local] = ["module.cue", "local-module.cue"].map((name) => path.join(root, "cue.mod", name)) as [string, string];
  if (disk.kind(file) === "none") return { root, path: "", major: "", version: "", deps: {}, defaults: {} };
  const read = (one: string) => {
    const { name, text } = readCueFile(disk, one, displayName(one, cwd));
    return { name, text };
  };
  const [text, own] = [read(file), main && disk.kind(local) !== "none" ? read(local) : undefined];
  const said = await evaluator.module(text, own);
  const at = said.module.lastIndexOf("@");
  return {
    root,
    path: at < 0 ? said.module : said.module.slice(0, at),
    major: at < 0 ? "" : said.module.slice(at + 1),
    version: said.language,
    deps: said.deps,
    defaults: said.defaults ?? {},
    file: { name: text.name, data: said.raw[0], ...(own && { local: { name: own.name, data: said.raw[1] } }) },
  };
}

/** Below cue.mod only pkg, gen and usr hold packages. */
function insideCueMod(dir: string): boolean {
  const parts = dir.split(path.sep);
  const last = parts.lastIndexOf("cue.mod");
  return last >= 0 && !["pkg", "gen", "usr"].includes(parts[last + 1] ?? "");
}

function oldModule(name: string): Error {
  return inputError({
    code: "cue-module",
    message: `${name} is a file, as CUE had it long ago`,
    at: [{ file: name, line: 1, column: 1 }],
    hint: "Move it to cue.mod/module.cue and add `language: version:`",
  });
}
