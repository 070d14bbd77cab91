// dagger fmt: CUE files in CUE's standard format.
import { randomBytes } from "node:crypto";
import type { Dirent } from "node:fs";
import { chmod, readdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Diagnostic } from "../../compiler/index.ts";
import { inputError, UserError } from "../../compiler/index.ts";
import { createEvaluator, displayName, type Evaluator, findModuleAt } from "../../runtime/cue/index.ts";
import { asset } from "../assets.ts";

export interface FormatRequest {
  /** Absolute: relative paths start here. */
  readonly cwd: string;
  /** Files, and directories whose files are formatted with those below; cue.mod and what starts with `.` or `_` is left out below. */
  readonly paths: readonly string[];
  /** Write the files; without it they stay as they are. */
  readonly write: boolean;
}

/** A file that is not in the standard format, or was not before it was written. */
export interface FormattedFile {
  /** As a person would type it. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/**
 * The files that are not formatted, by name. `failure` is a UserError (2) with all files that could not be formatted; the others are
 * formatted all the same. Throws UserError (2) when a path leads nowhere.
 */
export async function formatFiles(
  request: FormatRequest,
): Promise<{ readonly files: readonly FormattedFile[]; readonly failure?: UserError }> {
  const found = await findFiles(request);
  return withEvaluator(async (evaluator) => {
    const versions = new Map<string, Promise<string>>();
    const files: FormattedFile[] = [];
    const wrong: Diagnostic[] = [];
    for (const path of found) {
      const dir = dirname(path);
      const version = versions.get(dir) ?? languageOf(dir, request.cwd, evaluator);
      versions.set(dir, version);
      try {
        const file = displayName(path, request.cwd);
        const before = await readText(path, file);
        const [after = before] = await evaluator.format([{ name: file, text: before }], await version);
        if (after === before) continue;
        if (request.write) await replace(path, file, after);
        files.push({ file, before, after });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        wrong.push(...error.diagnostics);
      }
    }
    return { files, ...(wrong.length > 0 && { failure: inputError(...wrong) }) };
  });
}

/** One text in the standard format; `name` is what positions show. Throws UserError (2) with every syntax error. */
export async function formatText(text: Uint8Array, name: string): Promise<string> {
  const before = decode(text, name);
  return withEvaluator(async (evaluator) => (await evaluator.format([{ name, text: before }]))[0] ?? before);
}

async function withEvaluator<T>(work: (evaluator: Evaluator) => Promise<T>): Promise<T> {
  const evaluator = await createEvaluator({ wasm: asset("cue.wasm"), follow: [] });
  try {
    return await work(evaluator);
  } finally {
    await evaluator.close();
  }
}

/** What is wrong with a module does not keep its files from being formatted. */
async function languageOf(dir: string, cwd: string, evaluator: Evaluator): Promise<string> {
  try {
    return (await findModuleAt(dir, cwd, evaluator))?.version ?? "";
  } catch (error) {
    if (error instanceof UserError) return "";
    throw error;
  }
}

async function findFiles({ paths, cwd }: FormatRequest): Promise<readonly string[]> {
  const found = new Set<string>();
  const wrong: Diagnostic[] = [];
  for (const given of paths) {
    const path = resolve(cwd, given);
    const kind = await stat(path).catch(() => undefined);
    const problem = (message: string): void =>
      void wrong.push({
        code: "cue-no-files",
        message,
        at: [],
        hint: "Give directories with CUE files, CUE files, or - for standard input",
      });
    if (kind === undefined) problem(`${displayName(path, cwd)} does not exist`);
    else if (kind.isDirectory()) {
      const below = await filesBelow(path);
      if (below.length === 0) problem(`No CUE files in ${displayName(path, cwd)}`);
      for (const file of below) found.add(file);
    } else if (!kind.isFile() || !path.endsWith(".cue")) problem(`${displayName(path, cwd)} is not a CUE file`);
    else found.add(path);
  }
  if (wrong.length > 0) throw inputError(...wrong);
  return [...found];
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => {
    throw inputError({
      code: "cue-no-files",
      message: `Cannot read ${dir}: ${(cause as Error).message}`,
      at: [],
      hint: "Check its permissions",
    });
  });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== "cue.mod" && !/^[._]/.test(entry.name)) found.push(...(await filesBelow(path)));
    } else if (entry.name.endsWith(".cue") && (await isText(entry, path))) found.push(path);
  }
  return found;
}

async function isText(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function readText(path: string, shown: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw unusable(`Cannot read ${shown}: ${reason(cause)}`, shown, "Check its permissions");
  });
  return decode(bytes, shown);
}

/** A byte order mark stays: the standard format has none, and the file is to be written again. */
function decode(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unusable(`${shown} is not a CUE file: it has bytes that are not UTF-8 text`, shown, "Save it as UTF-8");
  }
}

/** The file is the old one or the new one, whatever happens; a link stays a link. */
async function replace(path: string, shown: string, text: string): Promise<void> {
  try {
    const real = await realpath(path);
    const temporary = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString("hex")}`);
    try {
      await writeFile(temporary, text, { flag: "wx" });
      await chmod(temporary, (await stat(real)).mode);
      await rename(temporary, real);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (cause) {
    throw unusable(`Cannot write ${shown}: ${reason(cause)}`, shown, "Check its permissions, and those of its directory");
  }
}

function reason(cause: unknown): string {
  const { message } = cause as Error;
  return /^[A-Z]+: ([^,]+),/.exec(message)?.[1] ?? message;
}

function unusable(message: string, file: string, hint: string): UserError {
  return inputError({ code: "cue-no-files", message, at: [{ file, line: 1, column: 1 }], hint });
}
