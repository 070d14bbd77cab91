// The JSON files of a workspace: read with the place of every mistake, written as a whole.
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Position } from "../../compiler/index.ts";
import { inputError, UserError } from "../../compiler/index.ts";
import { displayName } from "../../runtime/cue/index.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A file that was read. */
export interface JsonFile {
  /** As messages call it. */
  readonly name: string;
  readonly data: JsonObject;
  /** Ends with a UserError (2) `bad-workspace-file` at the value below `keys`, or at the file's beginning where there is no such value. */
  fail(keys: readonly string[], message: string, hint?: string): Promise<never>;
  /** The same at the name of the last of `keys`. */
  failName(keys: readonly string[], message: string, hint: string): Promise<never>;
}

const correct = "Correct it, or take it back from version control";

/** Undefined when there is no such file. Throws UserError (2) `bad-workspace-file`, (3) `workspace-not-read`. */
export async function readJsonFile(path: string, cwd: string): Promise<JsonFile | undefined> {
  const name = displayName(path, cwd);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined;
    const message = `Cannot read ${name}: ${(cause as Error).message}`;
    throw new UserError(3, [{ code: "workspace-not-read", message, at: [], hint: "Check its permissions" }], { cause });
  }
  const data = await parse(text, name);
  return {
    name,
    data,
    fail: (keys, message, hint) => failAt({ text, name }, keys, "value", message, hint),
    failName: (keys, message, hint) => failAt({ text, name }, keys, "name", message, hint),
  };
}

export function isObject(data: unknown): data is JsonObject {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

async function parse(text: string, name: string): Promise<JsonObject> {
  const conflict = /^(?:<{7}|={7}|>{7})(?: |$)/m.exec(text);
  if (conflict !== null) throw bad(place(text, name, conflict.index), `Git left a conflict in ${name}`, "Take either side of it");
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    const { offset, why } = await firstMistake(text);
    throw bad(place(text, name, offset), `${name} is no JSON: ${why}`, correct);
  }
  if (!isObject(data)) throw bad(place(text, name, 0), `${name} holds no object`, correct);
  return data;
}

/** What the parser's codes mean to a person. */
const mistakes: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no value",
  InvalidNumberFormat: "this is no number",
  PropertyNameExpected: "the name of a field is expected here, in double quotes",
  ValueExpected: "a value is expected here",
  ColonExpected: "a colon is expected here",
  CommaExpected: "a comma is expected here",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "nothing may follow the closing }",
  InvalidCommentToken: "comments are not allowed",
  UnexpectedEndOfComment: "comments are not allowed",
  UnexpectedEndOfString: "a closing quote is missing",
  UnexpectedEndOfNumber: "this is no number",
  InvalidUnicode: "this is no escape of a character",
  InvalidEscapeCharacter: "this is no escape of a character",
  InvalidCharacter: "this character is not allowed",
};

/** Only loaded when there is a mistake: JSON.parse of Node 20 does not tell where it is. */
async function firstMistake(text: string): Promise<{ readonly offset: number; readonly why: string }> {
  const { parseTree, printParseErrorCode } = await import("jsonc-parser");
  const errors: { error: number; offset: number; length: number }[] = [];
  parseTree(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false });
  const [first] = errors.sort((a, b) => a.offset - b.offset);
  if (first === undefined) return { offset: 0, why: "it cannot be read" };
  return { offset: first.offset, why: mistakes[printParseErrorCode(first.error)] ?? "it cannot be read" };
}

async function failAt(
  { text, name }: { readonly text: string; readonly name: string },
  keys: readonly string[],
  where: "name" | "value",
  message: string,
  hint: string = correct,
): Promise<never> {
  const { parseTree, findNodeAtLocation } = await import("jsonc-parser");
  const tree = parseTree(text);
  const node = tree && findNodeAtLocation(tree, [...keys]);
  const blamed = where === "name" ? node?.parent : node;
  throw bad(place(text, name, blamed?.offset ?? 0), message, hint);
}

function place(text: string, file: string, offset: number): Position {
  const lines = text.slice(0, offset).split("\n");
  return { file, line: lines.length, column: Buffer.byteLength(lines.at(-1) ?? "") + 1 };
}

function bad(at: Position, message: string, hint: string): UserError {
  return inputError({ code: "bad-workspace-file", message, at: [at], hint });
}

/**
 * Writes text so that the file is the old one or the new one whatever happens, also when the machine loses its power. Makes the directory.
 * Throws UserError (3) `workspace-not-written`.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    throw notWritten(path, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

export function notWritten(path: string, cause: unknown): UserError {
  const message = `Cannot write ${path}: ${(cause as Error).message}`;
  const hint = "Check the permissions of the workspace, and the space on its disk";
  return new UserError(3, [{ code: "workspace-not-written", message, at: [], hint }], { cause });
}

/** As the files of a workspace are written: indented, one line for each value, a newline at the end. */
export function formatJson(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
