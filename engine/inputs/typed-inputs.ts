// Reads the typed inputs of `dagger compute` (--input-string, --input-dir, …) into fills of the config.
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Diagnostic } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";
import type { Fill } from "../../runtime/cue/index.ts";
import { parseData } from "./input-data.ts";

/** One flag: `text` is what follows it, e.g. `source=./app` of a dir. Or a value that a program gives, as JSON. */
export type TypedInput = InputFlag | { readonly kind: "value"; readonly path: string; readonly json: string };

interface InputFlag {
  readonly kind: "string" | "dir" | "file" | "git" | "json" | "yaml";
  readonly text: string;
}

export interface ReadInputs {
  readonly fills: readonly Fill[];
  /** Absolute directories that whoever runs the config names: the job may upload them wherever they lie. */
  readonly dirs: readonly string[];
}

/** What a flag sets, before it is filled in. */
interface Setting {
  /** CUE path, as a person writes it. */
  readonly path: string;
  readonly flag: string;
  readonly fills: readonly Fill[];
  readonly dir?: string;
}

const EXAMPLES: Readonly<Record<InputFlag["kind"], string>> = {
  string: "name=World",
  dir: "source=./app",
  file: "license=./LICENSE",
  git: "source=https://example.com/app.git,main",
  json: "values.json",
  yaml: "values.yaml",
};

/**
 * Reads all flags. `taken` are paths that other flags set. Throws UserError (2) with everything that is wrong with the flags themselves:
 * whether the config has such paths, and takes such values, is found when they are filled in.
 */
export async function readTypedInputs(inputs: readonly TypedInput[], cwd: string, taken: readonly string[] = []): Promise<ReadInputs> {
  const wrong: Diagnostic[] = [];
  const settings: Setting[] = [];
  for (const input of inputs) settings.push(...(await readOne(input, cwd, (problem) => void wrong.push(problem))));
  wrong.push(...repeated(settings, taken));
  if (wrong.length > 0) throw inputError(...wrong);
  return { fills: settings.flatMap(({ fills }) => fills), dirs: settings.flatMap(({ dir }) => dir ?? []) };
}

type Problem = (diagnostic: Diagnostic) => void;

async function readOne(input: TypedInput, cwd: string, problem: Problem): Promise<readonly Setting[]> {
  if (input.kind === "value") {
    const { path, json } = input;
    const origin = `input ${path}`;
    return [{ path, flag: origin, fills: [{ path, json, origin }] }];
  }
  if (input.kind === "json" || input.kind === "yaml") return readDocument(input, cwd, problem);
  const { kind, text } = input;
  const cut = text.indexOf("=");
  const path = text.slice(0, Math.max(cut, 0)).trim();
  if (path === "") {
    problem(malformed(input, "path=value"));
    return [];
  }
  const flag = `--input-${kind} ${path}`;
  const value = text.slice(cut + 1);
  switch (kind) {
    case "string":
      return [{ path, flag, fills: [{ path, json: JSON.stringify(value), origin: flag }] }];
    case "file": {
      const content = await readText(value, path, flag, cwd, problem);
      return content === undefined ? [] : [{ path, flag, fills: [{ path, json: JSON.stringify(content), origin: flag }] }];
    }
    case "dir": {
      const dir = await findDirectory(value, flag, cwd, problem);
      // What dagger keeps about a workspace is no part of its source, as it never was.
      return dir === undefined ? [] : [{ ...filesystem(path, flag, [{ do: "local", dir, exclude: ["**/.dagger"] }]), dir }];
    }
    case "git":
      return readGit(input, path, value, problem);
  }
}

/** An input that becomes a component: its ops are filled in. */
function filesystem(path: string, flag: string, ops: readonly unknown[]): Setting {
  return { path, flag, fills: [{ path: `${path}.#up`, json: JSON.stringify(ops), origin: flag }] };
}

/** `remote[,ref[,subdir]]`, or `remote#ref` as the first dialect had it. */
function readGit(input: InputFlag, path: string, value: string, problem: Problem): readonly Setting[] {
  const [address = "", second, subdir, ...more] = value.split(",");
  const [remote = "", fragment] = address.split("#");
  if (remote === "" || more.length > 0 || (fragment !== undefined && second !== undefined && second !== "")) {
    problem(malformed(input, "path=remote, or path=remote,ref, or path=remote,ref,subdir"));
    return [];
  }
  const ref = second || fragment || "HEAD";
  const ops = [{ do: "fetch-git", remote, ref }, ...(subdir ? [{ do: "subdir", dir: subdir }] : [])];
  return [filesystem(path, `--input-git ${path}`, ops)];
}

/** A file that sets several fields at once; with `path=` before its name those below a path. */
async function readDocument(input: InputFlag, cwd: string, problem: Problem): Promise<readonly Setting[]> {
  const { kind, text } = input;
  const cut = text.indexOf("=");
  const whole = cut <= 0 || (await stat(resolve(cwd, text)).catch(() => undefined)) !== undefined;
  const at = whole ? "" : text.slice(0, cut).trim();
  const file = whole ? text : text.slice(cut + 1);
  if (file === "") {
    problem(malformed(input, "a file, or path=file"));
    return [];
  }
  const flag = `--input-${kind} ${at === "" ? file : at}`;
  const content = await readText(file, at === "" ? "of the config" : at, flag, cwd, problem);
  if (content === undefined) return [];
  const entries = await parseData(kind === "json" ? "json" : "yaml", content, at, (why) =>
    problem({
      code: "bad-input-data",
      message: `Cannot read ${JSON.stringify(file)} of --input-${kind} as ${kind.toUpperCase()}: ${why}`,
      at: [],
      hint: at === "" ? "It holds an object: each field of it sets the field of that name in the config" : "Correct the file",
    }),
  );
  return entries.map(({ path, json }) => ({ path, flag, fills: [{ path, json, origin: flag }] }));
}

export async function readText(file: string, path: string, flag: string, cwd: string, problem: Problem): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(resolve(cwd, file)));
  } catch (cause) {
    const why = cause instanceof TypeError ? "it is not UTF-8 text" : (cause as Error).message;
    problem({
      code: "input-file-not-found",
      message: `Cannot read the file ${JSON.stringify(file)} for input ${path}: ${why}`,
      at: [],
      hint: `Check the path after ${flag}=; files that are no text come in with --input-dir`,
    });
    return undefined;
  }
}

export async function findDirectory(path: string, flag: string, cwd: string, problem: Problem): Promise<string | undefined> {
  const dir = resolve(cwd, path);
  const say = (code: string, message: string, hint: string): undefined => void problem({ code, message, at: [], hint });
  if (path === "") return say("local-not-found", `No directory is given after ${flag}=`, "Write . for the current one");
  try {
    if ((await stat(dir)).isDirectory()) return dir;
    return say(
      "local-not-directory",
      `${JSON.stringify(path)} of ${flag} is a file, not a directory`,
      "Give the directory that it lies in",
    );
  } catch (error) {
    const missing = ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
    const why = missing ? "does not exist" : `cannot be read: ${(error as Error).message}`;
    return say("local-not-found", `Directory ${JSON.stringify(path)} of ${flag} ${why}`, "A relative path starts at the current directory");
  }
}

function malformed({ kind, text }: InputFlag, expected: string): Diagnostic {
  return {
    code: "bad-input-flag",
    message: `Cannot read input ${JSON.stringify(text)} of --input-${kind}: expected ${expected}`,
    at: [],
    hint: `Write for example: --input-${kind} ${EXAMPLES[kind]}`,
  };
}

/** Two flags for one path would only be told apart by their order. */
function repeated(settings: readonly Setting[], taken: readonly string[]): Diagnostic[] {
  const seen = new Map(taken.map((path) => [path, `-i ${path}`]));
  const wrong: Diagnostic[] = [];
  for (const { path, flag } of settings) {
    const before = seen.get(path);
    seen.set(path, flag);
    if (before === undefined) continue;
    const flags = before === flag ? flag : `${before} and ${flag}`;
    wrong.push({ code: "duplicate-input", message: `Input ${path} is given twice: ${flags}`, at: [], hint: "Keep one of the two flags" });
  }
  return wrong;
}
