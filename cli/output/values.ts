// Values as people read them: a tree with one line per value, text of many lines as a block.
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";

/** A string that is shown without quotes: it cannot be taken for another kind of value, nor hide spaces. */
const bare = /^(?=\S)(?!(?:true|false|null|~|-?\.?\d[\d.eE+-]*|[-?:|>{}[\],&*!%@`"'#].*)$)[^\t]*\S$/s;

/**
 * The tree, ending with a newline; empty when there is nothing to show. Structs without a value in them are left out
 * (a component that only has a filesystem is `{}`), unless the tree has nothing else.
 */
export function formatValues(values: unknown, style: Style): string {
  const lines: string[] = [];
  if (isStruct(values)) structLines(values, "", style, lines);
  else if (values !== undefined) valueLines("", values, "", style, lines);
  return lines.map((line) => `${line}\n`).join("");
}

function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return isStruct(value) && Object.values(value).every(isEmpty);
}

function structLines(struct: Readonly<Record<string, unknown>>, indent: string, style: Style, lines: string[]): void {
  for (const [name, value] of Object.entries(struct)) {
    if (!isEmpty(value)) valueLines(`${style.blue(label(name))}:`, value, indent, style, lines);
  }
}

function label(name: string): string {
  return /^[\p{L}_$#][\p{L}\p{N}_$#]*$/u.test(name) ? name : JSON.stringify(clean(name));
}

/** One value behind its label (`name:` or `-`); an empty label is a value that stands alone. */
function valueLines(head: string, value: unknown, indent: string, style: Style, lines: string[]): void {
  const lead = head === "" ? "" : `${head} `;
  if (isStruct(value)) {
    if (isEmpty(value)) lines.push(`${indent}${lead}{}`);
    else {
      lines.push(`${indent}${head}`);
      structLines(value, `${indent}  `, style, lines);
    }
  } else if (Array.isArray(value)) {
    if (value.length === 0) lines.push(`${indent}${lead}[]`);
    else {
      if (head !== "") lines.push(`${indent}${head}`);
      for (const item of value as unknown[]) valueLines("-", item, head === "" ? indent : `${indent}  `, style, lines);
    }
  } else if (typeof value === "string" && isText(value)) {
    lines.push(`${indent}${lead}${style.dim("|")}`);
    for (const line of value.replace(/\n$/, "").split("\n")) lines.push(`${indent}  ${clean(line)}`.trimEnd());
  } else {
    lines.push(`${indent}${lead}${scalar(value)}`);
  }
}

/** Many lines; a single line with its newline is shown as a line. */
function isText(value: string): boolean {
  return value.replace(/\n$/, "").includes("\n");
}

function scalar(value: unknown): string {
  if (typeof value !== "string") return typeof value === "bigint" ? value.toString() : (JSON.stringify(value) ?? "null");
  const line = value.replace(/\n$/, "");
  return bare.test(line) && clean(line) === line ? line : JSON.stringify(value);
}
