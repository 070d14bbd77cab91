// Which of the files in a directory make up the package: by package clause, `@if` and `@ignore`.
import { inputError } from "../../compiler/diagnostic.ts";
import type { Evaluator, ScanOptions } from "./evaluate.ts";
import type { CueFile, PackageDir } from "./layout.ts";
import type { Scanned } from "./protocol.ts";

export interface SelectedFile {
  readonly file: CueFile;
  readonly imports: Scanned["imports"];
}

/** The package's name (empty when no file has a package clause) and files. Throws UserError (2) when it is not clear which package is meant. */
export async function selectPackage(
  evaluator: Evaluator,
  files: readonly CueFile[],
  options: ScanOptions,
  found: PackageDir,
  wanted?: string,
): Promise<{ name: string; files: readonly SelectedFile[] }> {
  const here = await scan(
    evaluator,
    files.filter((f) => !f.ancestor),
    options,
  );
  const name = wanted ?? onlyPackage(here, found);
  // A file above belongs to the package only when it says so; whatever else lies there is not looked at.
  const above = files.filter((f) => f.ancestor && name !== "" && declares(f.text, name));
  const all = [...here, ...(await scan(evaluator, above, options))];
  const kept = all.filter(({ scanned }) => packageName(scanned) === name);
  return { name, files: kept.map(({ file, scanned }) => ({ file, imports: scanned.imports })) };
}

interface ScannedFile {
  readonly file: CueFile;
  readonly scanned: Scanned;
}

async function scan(evaluator: Evaluator, files: readonly CueFile[], options: ScanOptions): Promise<ScannedFile[]> {
  if (files.length === 0) return [];
  const scanned = await evaluator.scan(files, options);
  return files.map((file, i) => ({ file, scanned: scanned[i] as Scanned })).filter((f) => !f.scanned.ignored);
}

/** The one package of a directory; files without a package clause make one up only when there are no others. */
function onlyPackage(files: readonly ScannedFile[], found: PackageDir): string {
  const firsts = new Map<string, string>();
  for (const { file, scanned } of files) {
    const name = packageName(scanned);
    if (name !== "" && !firsts.has(name)) firsts.set(name, file.name);
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

function declares(text: string, name: string): boolean {
  return new RegExp(`^[ \\t]*package[ \\t]+${name}\\b`, "m").test(text);
}
