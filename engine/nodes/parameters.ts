// Parameters of commands, `${SOURCE:FIELD}`: variables that the command finds, and what is written for them in its text.
import { inputError, nearest } from "../../compiler/index.ts";
import type { Source } from "../sources/source.ts";
import { shortId } from "../sources/versions.ts";

/** What a node knows of one of its sources. */
export interface Known {
  readonly source: Source;
  /** Where it is in the container. */
  readonly root: string;
  /** The version that is taken; not there of an output. */
  readonly version?: { readonly id: string; readonly detail: Readonly<Record<string, string>> };
}

/** By field. */
export type Fields = Readonly<Record<string, string>>;

export function fieldsOf({ source, root, version }: Known): Fields {
  const { kind, location, tag, path } = source;
  const detail = Object.entries(version?.detail ?? {}).map(([key, value]) => [upper(key), value]);
  return {
    ...(Object.fromEntries(detail) as Fields),
    KIND: kind,
    LOCATION: location,
    ...(tag === undefined ? {} : { TAG: tag }),
    ...(path === undefined ? {} : { PATH: path }),
    ...(version === undefined ? {} : { ID: shortId(version.id), HASH: version.id }),
    ROOT: root,
  };
}

/** The variable of a field: `DMG_BUILD`. */
export function variableOf(source: string, field: string): string {
  return `${upper(source)}_${field}`.replace(/^(?=\d)/, "_");
}

function upper(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, "_").toUpperCase();
}

/** All variables of a node's sources. Throws UserError (2) `parameter-collision`. */
export function variablesOf(all: readonly Known[]): Readonly<Record<string, string>> {
  const found = new Map<string, { readonly value: string; readonly source: string }>();
  for (const known of all) {
    const source = known.source.name;
    for (const [field, value] of Object.entries(fieldsOf(known))) {
      const name = variableOf(source, field);
      const other = found.get(name);
      if (other !== undefined && other.source !== source) {
        const message = `The sources ${other.source} and ${source} would both be the variable ${name}`;
        throw inputError({ code: "parameter-collision", message, at: [], hint: "Give one of them another name" });
      }
      found.set(name, { value, source });
    }
  }
  return Object.fromEntries([...found].map(([name, { value }]) => [name, value]));
}

const parameter = /\$\{([^:}$\n]+):([A-Z][A-Z0-9_]*)\}/g;

/** An argument with the values of its parameters. No shell reads it. Throws UserError (2) `unknown-parameter`. */
export function inArgument(text: string, all: readonly Known[]): string {
  return text.replace(parameter, (_, source: string, field: string) => fieldValue(source, field, all));
}

/**
 * The text of a shell script in which variables stand for parameters, such that the shell takes each value as one word whatever is in it: between
 * quotes of both kinds and without, in comments and in here-documents. Throws UserError (2) `unknown-parameter`.
 */
export function inScript(text: string, all: readonly Known[]): string {
  let out = "";
  let quote: "" | "'" | '"' = "";
  let documents: { readonly word: string; readonly literal: boolean; readonly tabs: boolean }[] = [];
  for (let at = 0; at < text.length; ) {
    parameter.lastIndex = at;
    const found = text.startsWith("${", at) ? parameter.exec(text) : null;
    if (found !== null && found.index === at) {
      const [whole, source = "", field = ""] = found;
      fieldValue(source, field, all);
      const name = `\${${variableOf(source, field)}}`;
      out += quote === '"' ? name : quote === "'" ? `'"${name}"'` : `"${name}"`;
      at += whole.length;
      continue;
    }
    const mark = text[at] ?? "";
    if (quote !== "'" && mark === "\\") {
      out += text.slice(at, at + 2);
      at += 2;
      continue;
    }
    if (quote === "" && mark === "#" && /(^|[\s;&|(])$/.test(text.slice(0, at))) {
      const end = lineEnd(text, at);
      out += text.slice(at, end);
      at = end;
      continue;
    }
    const document = quote === "" ? /^<<(-?)\s*(['"]?)([A-Za-z_]\w*)\2/.exec(text.slice(at, at + 200)) : null;
    if (document !== null && text[at - 1] !== "<" && text[at + 2] !== "<") {
      const [whole, tabs, quoted, word = ""] = document;
      documents.push({ word, literal: quoted !== "", tabs: tabs === "-" });
      out += whole;
      at += whole.length;
      continue;
    }
    if (mark === "'" || mark === '"') quote = quote === "" ? mark : quote === mark ? "" : quote;
    out += mark;
    at++;
    if (mark === "\n" && quote === "" && documents.length > 0) {
      for (const { word, literal, tabs } of documents) {
        const end = documentEnd(text, at, word, tabs);
        const body = text.slice(at, end);
        // In one that the shell reads, a variable is no word of its own; in one that it does not, the value itself stands.
        out += literal ? inArgument(body, all) : body.replace(parameter, (_, source: string, field: string) => named(source, field, all));
        at = end;
      }
      documents = [];
    }
  }
  return out;
}

function named(source: string, field: string, all: readonly Known[]): string {
  fieldValue(source, field, all);
  return `\${${variableOf(source, field)}}`;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

/** Behind the line that ends a here-document. */
function documentEnd(text: string, start: number, word: string, tabs: boolean): number {
  for (let at = start; at < text.length; ) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end);
    at = end + 1;
    if ((tabs ? line.replace(/^\t+/, "") : line) === word) return Math.min(at, text.length);
  }
  return text.length;
}

function fieldValue(source: string, field: string, all: readonly Known[]): string {
  const known = all.find((one) => one.source.name === source);
  const text = `\${${source}:${field}}`;
  const say = (message: string, hint: string): Error => inputError({ code: "unknown-parameter", message, at: [], hint });
  if (known === undefined) {
    const names = all.map((one) => one.source.name);
    const [near] = nearest(source, names);
    const hint =
      near === undefined
        ? `It has ${names.join(", ")}; for a part of a shell variable, write a space behind the colon`
        : `Did you mean ${near}?`;
    throw say(`The node neither takes nor gives the source ${JSON.stringify(source)} of ${text}`, hint);
  }
  const fields = fieldsOf(known);
  const value = fields[field];
  if (value !== undefined) return value;
  const [near] = nearest(field, Object.keys(fields));
  const hint =
    near === undefined ? `It has ${Object.keys(fields).join(", ")}` : `Did you mean ${near}? It has ${Object.keys(fields).join(", ")}`;
  throw say(`The source ${source} has no field ${field}`, hint);
}
