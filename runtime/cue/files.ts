// CUE files on disk: which files of a directory count, and how their names are shown.
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { inputError } from "../../compiler/diagnostic.ts";
import type { CueFile, PackageDir } from "./layout.ts";

/** As a user would type it: relative to the working directory when it lies below. */
export function displayName(file: string, cwd: string): string {
  const rel = path.relative(cwd, file);
  if (rel === "") return ".";
  return rel.startsWith("..") || path.isAbsolute(rel) ? file : rel;
}

/** The files of a package's directories, then those of each parent up to its root, by name. */
export function filesIn(found: PackageDir, show: (file: string) => string): CueFile[] {
  const files: CueFile[] = [];
  for (const dir of found.dirs) {
    files.push(...cueFiles(dir).map((f) => readCueFile(f, "", show(f))));
    if (found.root === undefined) continue;
    for (let up = dir; up !== found.root; ) {
      const parent = path.dirname(up);
      if (parent === up) break;
      up = parent;
      files.push(...cueFiles(up).map((f) => ({ ...readCueFile(f, "", show(f)), ancestor: true })));
    }
  }
  return files;
}

/** CUE's rule: not hidden, not underscored, no tests and no tools. */
function isPackageFile(name: string): boolean {
  return name.endsWith(".cue") && !/^[._]/.test(name) && !/_(test|tool)\.cue$/.test(name);
}

function cueFiles(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (cause) {
    throw inputError({ code: "cue-no-files", message: `cannot read the directory ${dir}: ${(cause as Error).message}`, at: [] });
  }
  return names
    .filter(isPackageFile)
    .sort()
    .map((name) => path.join(dir, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** Reads one file. Throws UserError (2) when it cannot be read or is no text. */
export function readCueFile(file: string, cwd: string, name: string = displayName(file, cwd)): CueFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw inputError({ code: "cue-no-files", message: `cannot read ${name}: ${(cause as Error).message}`, at: [] });
  }
  try {
    return { name, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), ancestor: false };
  } catch {
    throw inputError({
      code: "cue-syntax",
      message: `${name} is not a CUE file: it has bytes that are not UTF-8 text`,
      at: [{ file: name, line: 1, column: 1 }],
    });
  }
}
