// CUE files on disk: which files of a directory count, and how their names are shown.
import path from "node:path";
import { inputError } from "../../compiler/diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { CueFile, PackageDir } from "./layout.ts";

/** As a user would type it: relative to the working directory when it lies below. */
export function displayName(file: string, cwd: string): string {
  const rel = path.relative(cwd, file);
  if (rel === "") return ".";
  return rel.startsWith("..") || path.isAbsolute(rel) ? file : rel;
}

/** The files of a package's directories, then those of each parent up to its root, by name. */
export function filesIn(disk: Disk, found: PackageDir, show: (file: string) => string): CueFile[] {
  const files: CueFile[] = [];
  for (const dir of found.dirs) {
    files.push(...cueFiles(disk, dir).map((f) => readCueFile(disk, f, show(f))));
    if (found.root === undefined) continue;
    for (let up = dir; up !== found.root; ) {
      const parent = path.dirname(up);
      if (parent === up) break;
      up = parent;
      files.push(...cueFiles(disk, up).map((f) => ({ ...readCueFile(disk, f, show(f)), ancestor: true })));
    }
  }
  return files;
}

function cueFiles(disk: Disk, dir: string): string[] {
  try {
    return disk.cueFiles(dir).map((name) => path.join(dir, name));
  } catch (cause) {
    throw inputError({
      code: "cue-no-files",
      message: `Cannot read the directory ${dir}: ${reason(cause)}`,
      at: [],
      hint: "Check its permissions",
    });
  }
}

/** Reads one file. Throws UserError (2) when it cannot be read or is no text. */
export function readCueFile(disk: Disk, file: string, name: string): CueFile {
  // Reading a pipe would wait for somebody to write to it.
  if (disk.kind(file) === "other") {
    throw inputError({
      code: "cue-no-files",
      message: `${name} is not a regular file`,
      at: [],
      hint: "Give a directory with CUE files, or one CUE file",
    });
  }
  let bytes: Buffer;
  try {
    bytes = disk.read(file);
  } catch (cause) {
    throw inputError({ code: "cue-no-files", message: `Cannot read ${name}: ${reason(cause)}`, at: [], hint: "Check its permissions" });
  }
  try {
    return { name, text: decodeText(bytes), ancestor: false };
  } catch {
    throw inputError({
      code: "cue-syntax",
      message: `${name} is not a CUE file: it has bytes that are not UTF-8 text`,
      at: [{ file: name, line: 1, column: 1 }],
      hint: "Save it as UTF-8 text",
    });
  }
}

/** What the system says, without the names of calls and paths. */
function reason(cause: unknown): string {
  const { message } = cause as Error;
  return /^[A-Z]+: ([^,]+),/.exec(message)?.[1] ?? message;
}

/** Throws TypeError for bytes that are not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
