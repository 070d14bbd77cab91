// Which of the files in a directory make up the package: by package clause, `@if` and `@ignore`, as CUE's own loader has it.
import { inputError } from "../../compiler/diagnostic.ts";
import type { Disk } from "./disk.ts";
import type { Evaluator } from "./evaluate.ts";
import { filesAbove, filesIn, inOrder, isAside } from "./files.ts";
import type { CueFile, PackageDir } from "./layout.ts";
import type { Scanned } from "./protocol.ts";

export interface SelectedFile extends CueFile {
  readonly scanned: Scanned;
}

export interface Selected {
  /** Empty when no file has a package clause. */
  readonly name: string;
  readonly files: readonly SelectedFile[];
  /** Tags that the `@if` of any file has asked for, also of files that are no part of the package. */
  readonly asked: readonly string[];
  /** Files that an `@if` or `@ignore` leaves out. */
  readonly leftOut: readonly SelectedFile[];
}

export interface Selection {
  readonly evaluator: Evaluator;
  readonly disk: Disk;
  /** What the user gave as tags. */
  readonly tags: readonly string[];
  readonly show: (file: string) => string;
}

/** The package of a directory: the one of the name, or the only one. Throws UserError (2) when it is not clear which is meant. */
export async function selectPackage(by: Selection, found: PackageDir, wanted?: string): Promise<Selected> {
  const here = await scan(by, filesIn(by.disk, found, by.show), found);
  const included = here.filter((f) => !f.scanned.ignored);
  const name = wanted ?? onlyPackage(included, found);
  // As in CUE: a directory that has nothing to do with the package has no share in what lies above.
  const related = here.some((f) => packageName(f.scanned) !== "" && (f.scanned.ignored || packageName(f.scanned) === name));
  const above = name !== "" && related ? await scan(by, filesAbove(by.disk, found, by.show), found) : [];
  return result(name, [...here, ...above]);
}

/** One file as an instance of its own. */
export async function selectFile(by: Selection, file: CueFile, found: PackageDir): Promise<Selected> {
  const scanned = await scan(by, [file], found);
  return result(packageName((scanned[0] as SelectedFile).scanned), scanned);
}

function result(name: string, files: readonly SelectedFile[]): Selected {
  const kept = files.filter((f) => packageName(f.scanned) === name && !f.scanned.ignored && !isAside(f));
  return {
    name,
    files: inOrder(kept),
    asked: [...new Set(files.flatMap((f) => f.scanned.tags))],
    leftOut: files.filter((f) => f.scanned.ignored),
  };
}

async function scan(by: Selection, files: readonly CueFile[], found: PackageDir): Promise<SelectedFile[]> {
  if (files.length === 0) return [];
  // Conditions of other modules know no tags.
  const tags = found.own ? by.tags.filter((tag) => !tag.includes("=")) : [];
  const named = files.map(({ name, text }) => ({ name, text }));
  const scanned = await by.evaluator.scan(named, { version: languageOf(found), tags });
  return files.map((file, i) => ({ ...file, scanned: scanned[i] as Scanned }));
}

/** The version of CUE that a package's files are read as; the library's as the newest. */
export function languageOf(found: PackageDir): string {
  return found.shownAs ? "" : (found.module?.version ?? "");
}

/** The one package of a directory; files without a package clause make one up only when there are no others. */
function onlyPackage(files: readonly SelectedFile[], found: PackageDir): string {
  const firsts = new Map<string, string>();
  for (const { name: file, scanned } of files) {
    const name = packageName(scanned);
    if (name !== "" && !firsts.has(name)) firsts.set(name, file);
  }
  if (firsts.size > 1) {
    const list = [...firsts].map(([name, file]) => `${name} (${file})`);
    throw inputError({
      code: "cue-package",
      message: `Found packages ${list.slice(0, -1).join(", ")} and ${list.at(-1)} in ${found.dirs.join(", ")}`,
      at: [...firsts.values()].map((file) => ({ file, line: 1, column: 1 })),
      hint: "Give one of the files instead of the directory, or move the other package to a directory of its own",
    });
  }
  return [...firsts.keys()][0] ?? "";
}

/** `package _` is as good as no package clause. */
function packageName(scanned: Scanned): string {
  return scanned.package === "_" ? "" : scanned.package;
}
