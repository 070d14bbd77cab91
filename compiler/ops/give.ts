// What to do about a value that is missing or of the wrong type: how it is given, and how it is written.
import type { Missing, Value } from "../value.ts";
import { nearest } from "./near.ts";

/** How a person gives a missing value, with an example that its type takes. */
export function howToGive({ path, type }: Missing): string {
  if (/(^|\.)_/.test(path))
    return "Set it in the config; a job does not compute hidden fields for CUE, so a computed value needs a name without _";
  if (/[.[]#up\b/.test(path)) return "Set it in the config";
  if (isOfPackage(path)) return "Give it a name in your config, as in NAME: package.field, set it there, and refer to it by that name";
  if (/(^|\.)#/.test(path))
    return "Set it where the definition is used, as in NAME: #Definition, and refer to it there: a type has no value of its own";
  if (type === "a filesystem") return `Give its ops in the config, or a directory with dagger compute --input-dir ${path}=…`;
  if (type === "a secret") return `Give its id in the config, or its value with --secret ${path}=env:NAME`;
  if (type === "a socket") return `Give its id in the config, or the socket with --ssh ${path}=SOCKET,raw=true`;
  if (path.endsWith("]")) return "Set it in the config: an input can only give the whole list";
  return `Set it in the config, or pass it with -i ${quoteForShell(path, example(type))}`;
}

/** Paths in packages start with an import path in quotes; the domain in it has a dot. */
function isOfPackage(path: string): boolean {
  return /^"[^"/]*\.[^"/]*\/[^"]*"|^"[^"]*"\.?#/.test(path);
}

/** A value that the type admits, as far as its text tells. */
function example(type: string): string {
  const choice = /(?:^|[|&(]\s*)\*?"([^"\\]*)"/.exec(type)?.[1];
  if (choice !== undefined && !/[<>=!]\s*"/.test(type)) return choice;
  const [, least] = />=?\s*(-?\d+)/.exec(type) ?? [];
  if (least !== undefined) return String(Number(least) + 1);
  if (/^(u?int|number)/.test(type)) return "1";
  if (/^float/.test(type)) return "1.5";
  if (/^bool/.test(type)) return "true";
  if (type.startsWith("[")) return '["…"]';
  if (type.startsWith("{")) return "{…}";
  return "…";
}

function quoteForShell(path: string, value: string): string {
  return /^[\w.\u2026=-]*$/.test(`${path}=${value}`) ? `${path}=${value}` : `'${path}=${value}'`;
}

/** How what was given is written as what is wanted. */
export function writeAs({ scalar, kind }: Value, words: string): string {
  const wanted = (type: string): boolean => words.startsWith(type);
  const plain = typeof scalar === "string" || typeof scalar === "number" || typeof scalar === "boolean";
  if (wanted("a string") && plain && typeof scalar !== "string") return `Write it in quotes: ${JSON.stringify(String(scalar))}`;
  if (wanted("a list") && plain) return `Write a list, e.g. [${shorten(JSON.stringify(scalar))}]`;
  if (wanted("a whole number") && typeof scalar === "string" && /^\d+$/.test(scalar)) {
    return words.endsWith(" 4095") ? `Write it without quotes, as an octal number: 0o${scalar}` : `Write it without quotes: ${scalar}`;
  }
  if (wanted("true or false") && (scalar === "true" || scalar === "false")) return `Write it without quotes: ${scalar}`;
  if (wanted("a struct") && kind === "list") return "Write a struct: {NAME: value}";
  const choices = !wanted('"') ? [] : [...words.matchAll(/"([^"]+)"/g)].map(([, choice]) => choice as string);
  const [near] = typeof scalar === "string" ? nearest(scalar, choices) : [];
  if (near !== undefined) return `Did you mean ${JSON.stringify(near)}?`;
  return `Give it ${words}`;
}

/** Long texts by their start. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}…"` : text;
}
