// LLB as text: for goldens and for people who want to see what a config becomes.
import { hash } from "node:crypto";
import type { Definition } from "../job.ts";
import { describeDefinition, type Json, type OpDescription } from "./describe.ts";

const WIDTH = 110;
const LONGEST_STRING = 400;
const SHORT_DIGEST = 12;

/**
 * Prints the ops in build order, one block each: `#1 source 0123456789ab`, then a line per field. The same Definition always prints the
 * same; give `marshal` a fixed `localUniqueId` where jobs shall print the same. Of long texts the beginning is shown, and a digest.
 */
export function printDefinition(definition: Pick<Definition, "encoded">): string {
  return describeDefinition(definition).map(printOp).join("\n");
}

function printOp(op: OpDescription): string {
  const digest = op.digest.slice(op.digest.indexOf(":") + 1).slice(0, SHORT_DIGEST);
  const lines = [`#${op.number} ${op.kind} ${digest}`];
  const line = (key: string, list: readonly string[]): void => {
    if (list.length > 0) lines.push(`  ${key}: ${list.join(", ")}`);
  };
  line("name", op.name === "" ? [] : [quote(op.name)]);
  line("component", op.component === "" ? [] : [quote(op.component)]);
  line("at", op.at.map(plain));
  line("inputs", op.inputs.map(shortInput));
  line("platform", op.platform === "" ? [] : [op.platform]);
  line("caps", op.caps);
  line("worker filters", op.constraints.map(quote));
  lines.push(...block({ ...fieldsOf(op.metadata), ...fieldsOf(op.fields) }, "  "), "");
  return lines.join("\n");
}

/** Inputs from outside the Definition are named by digest. */
function shortInput(input: string): string {
  return input.replace(/^#sha256:([0-9a-f]+)/, (_, hex: string) => `#${hex.slice(0, SHORT_DIGEST)}`);
}

function fieldsOf(json: Json): { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as { readonly [key: string]: Json }) : {};
}

/** A field per line; what does not fit is broken into lines of its own. */
function block(fields: { readonly [key: string]: Json }, indent: string): string[] {
  return Object.entries(fields).flatMap(([key, value]) => labelled(`${indent}${key}:`, value, `${indent}  `));
}

function labelled(label: string, value: Json, indent: string): string[] {
  const inline = flow(value);
  if (typeof value !== "object" || value === null || label.length + inline.length < WIDTH) return [`${label} ${inline}`];
  if (Array.isArray(value)) return [label, ...value.flatMap((item: Json) => listItem(item, indent))];
  return [label, ...block(fieldsOf(value), indent)];
}

/** The first line of an item that does not fit on one follows its dash. */
function listItem(item: Json, indent: string): string[] {
  const [first = "", ...rest] = labelled(`${indent}-`, item, `${indent}  `);
  if (rest.length === 0) return [first];
  return [`${first} ${rest[0]!.trimStart()}`, ...rest.slice(1)];
}

function flow(value: Json): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  return `{${Object.entries(fieldsOf(value))
    .map(([key, field]) => `${key}: ${flow(field)}`)
    .join(", ")}}`;
}

function quote(text: string): string {
  if (text.length <= LONGEST_STRING) return escaped(text);
  const digest = hash("sha256", text).slice(0, SHORT_DIGEST);
  return `${escaped(text.slice(0, LONGEST_STRING))}… (${text.length} characters, sha256 ${digest})`;
}

/** A JSON string without anything that a terminal would obey or a line would end at. */
function escaped(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Quoted only where it must be. */
function plain(text: string): string {
  return escaped(text) === `"${text}"` ? text : escaped(text);
}
