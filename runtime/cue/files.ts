// CUE files on disk: which files of a directory are read, in which order they count, and how their names are shown.
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

/** The CUE files of a package's directories. */
export function filesIn(disk: Disk, found: PackageDir, show: (file: string) => string): CueFile[] {
  return found.dirs.filter((dir) => disk.kind(dir) === "directory").flatMap((dir) => filesOf(disk, dir, show));
}

/** The CUE files of the parents of a package's directories, up to its root. */
export function filesAbove(disk: Disk, found: PackageDir, show: (file: string) => string): CueFile[] {
  const files: CueFile[] = [];
  for (const dir of found.root === undefined ? [] : found.dirs) {
    for (let up = dir; up !== found.root && up !== path.dirname(up); ) {
      up = path.dirname(up);
      files.push(...filesOf(disk, up, show));
    }
  }
  return files;
}

/** In CUE's order: what lies higher comes first, then by the bytes of the path. The order of fields follows it. */
export function inOrder<T extends CueFile>(files: readonly T[]): T[] {
  const depth = (file: CueFile) => file.path.split(path.sep).length;
  return [...files].sort((a, b) => depth(a) - depth(b) || Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/** A test or a tool: it says which package its directory holds, and is no part of it. */
export function isAside(file: CueFile): boolean {
  return /_(test|tool)\.cue$/.test(file.path);
}

function filesOf(disk: Disk, dir: string, show: (file: string) => string): CueFile[] {
  let names: string[];
  try {
    names = disk.cueFiles(dir);
  } catch (cause) {
    throw unreadable(show(dir), cause, "Check its permissions");
  }
  return names.map((name) => path.join(dir, name)).map((file) => readCueFile(disk, file, show(file)));
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
    throw unreadable(name, cause, "Make it readable, or take it away: every .cue file of a directory is read");
  }
  try {
    return { path: file, name, text: decodeText(bytes) };
  } catch {
    throw inputError({
      code: "cue-syntax",
      message: `${name} is not a CUE file: it has bytes that are not UTF-8 text`,
      at: [{ file: name, line: 1, column: 1 }],
      hint: "Save it as UTF-8, or give it a name that does not end in .cue",
    });
  }
}

function unreadable(name: string, cause: unknown, hint: string): Error {
  const message = `Cannot read ${name}: ${reason(cause)}`;
  return inputError({ code: "cue-no-files", message, at: [{ file: name, line: 1, column: 1 }], hint });
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
