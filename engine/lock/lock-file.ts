// dagger.lock: what names of images, git refs and addresses stood for when they were locked. Read strictly, written as a whole.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { displayName } from "../../runtime/cue/index.ts";

/** By name: `docker.io/library/alpine:3.20` → `sha256:…`, `https://host/repository.git#v1` → commit, `https://host/file` → `sha256:…`. */
export interface LockFile {
  readonly images: Readonly<Record<string, string>>;
  readonly git: Readonly<Record<string, string>>;
  readonly http: Readonly<Record<string, string>>;
}

export type LockKind = keyof LockFile;

export const lockKinds: readonly LockKind[] = ["images", "git", "http"];
export const emptyLock: LockFile = { images: {}, git: {}, http: {} };

const VERSION = 1;
const digest = /^sha256:[0-9a-f]{64}$/;
const values: Readonly<Record<LockKind, RegExp>> = { images: digest, git: /^([0-9a-f]{40}|[0-9a-f]{64})$/, http: digest };

/** Beside cue.mod, for a directory of a module; else in the directory of the config. */
export function lockPath(dir: string, cwd: string): string {
  const target = resolve(cwd, dir);
  const start = statSync(target, { throwIfNoEntry: false })?.isFile() === true ? dirname(target) : target;
  for (let root = start; ; root = dirname(root)) {
    if (existsSync(join(root, "cue.mod"))) return join(root, "dagger.lock");
    if (root === dirname(root)) return join(start, "dagger.lock");
  }
}

/** Undefined when there is none. Throws UserError (2) `bad-lock`. */
export async function readLock(path: string, cwd: string): Promise<LockFile | undefined> {
  const file = displayName(path, cwd);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw bad(file, 1, `Cannot read ${file}: ${(cause as Error).message}`, "Check its permissions");
  }
  return parseLock(text, file);
}

/** `file` is what messages call it. Throws UserError (2) `bad-lock`. */
export function parseLock(text: string, file: string): LockFile {
  const lines = text.split("\n");
  const conflict = lines.findIndex((line) => /^(<{7}|={7}|>{7})( |$)/.test(line));
  if (conflict >= 0) throw bad(file, conflict + 1, `Git left a conflict in ${file}`, "Take either side, then run `dagger lock update`");
  const again = "Correct it, or remove the file and run `dagger lock update`";
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw bad(file, 1, `${file} is no JSON: ${(cause as Error).message}`, again);
  }
  const line = (word: string): number =>
    Math.max(
      0,
      lines.findIndex((one) => one.includes(JSON.stringify(word))),
    ) + 1;
  if (!isObject(data)) throw bad(file, 1, `${file} holds no object`, again);
  if (data["version"] !== VERSION) {
    const newer = typeof data["version"] === "number" && data["version"] > VERSION;
    throw bad(
      file,
      line("version"),
      `${file} has the version ${JSON.stringify(data["version"])}, this dagger knows ${VERSION}`,
      newer ? "Use a newer dagger" : again,
    );
  }
  for (const key of Object.keys(data))
    if (key !== "version" && !lockKinds.includes(key as LockKind))
      throw bad(file, line(key), `${file} has the unknown field ${JSON.stringify(key)}`, again);
  const section = (kind: LockKind): Readonly<Record<string, string>> => {
    const entries = data[kind] ?? {};
    if (!isObject(entries)) throw bad(file, line(kind), `Field ${JSON.stringify(kind)} of ${file} is no object`, again);
    for (const [name, value] of Object.entries(entries))
      if (typeof value !== "string" || !values[kind].test(value))
        throw bad(file, line(name), `${file} has no ${kind === "git" ? "commit" : "digest"} for ${name}`, again);
    return entries as Record<string, string>;
  };
  return { images: section("images"), git: section("git"), http: section("http") };
}

function isObject(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

/** The same entries always make the same text, one line for each: a merge touches only what has changed. */
export function formatLock(lock: LockFile): string {
  const sorted = (entries: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
  const { images, git, http } = lock;
  return `${JSON.stringify({ version: VERSION, images: sorted(images), git: sorted(git), http: sorted(http) }, null, 2)}\n`;
}

/** The file is the old one or the new one, whatever happens. Throws UserError (3). */
export async function writeLock(path: string, lock: LockFile): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(temporary, formatLock(lock), { flag: "wx" });
    await rename(temporary, path);
  } catch (cause) {
    const message = `Cannot write ${path}: ${(cause as Error).message}`;
    throw new UserError(3, [{ code: "lock-not-written", message, at: [], hint: "Check the permissions of its directory" }], { cause });
  } finally {
    await rm(temporary, { force: true });
  }
}

function bad(file: string, line: number, message: string, hint: string): UserError {
  return inputError({ code: "bad-lock", message, at: [{ file, line, column: 1 }], hint });
}
