// JSON Schema of a config's inputs, so that a form can be made of it: the common constraints of CUE become those of JSON Schema.
import type { ConfigInput } from "./inputs.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** An object with a property for each input, by CUE path. What JSON Schema cannot say stands in `$comment`, as CUE. */
export function schemaOf(title: string, inputs: readonly ConfigInput[]): JsonSchema {
  const required = inputs.filter((input) => input.required).map(({ path }) => path);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    type: "object",
    properties: Object.fromEntries(inputs.map((input) => [input.path, propertyOf(input)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function propertyOf({ kind, type, title, description, default: standard }: ConfigInput): JsonSchema {
  return {
    ...(title === "" ? {} : { title }),
    ...(description === "" ? {} : { description }),
    ...typeOf(kind, type, standard),
    ...(standard === undefined ? {} : { default: standard }),
  };
}

/** What is no value of CUE is a text of a known form. */
const forms: Readonly<Record<string, JsonSchema>> = {
  directory: { type: "string", format: "x-directory", minLength: 1 },
  file: { type: "string", format: "x-file", minLength: 1 },
  git: { type: "string", format: "x-git", minLength: 1 },
  secret: { type: "string", format: "x-secret", pattern: "^[a-z]+:.+", writeOnly: true },
  socket: { type: "string", format: "x-socket", minLength: 1 },
  container: { type: "string", format: "x-container", minLength: 1 },
};

function typeOf(kind: string, type: string, standard: unknown): JsonSchema {
  const form = forms[kind];
  if (form !== undefined) return form;
  if (type === "") return ofExample(standard);
  const schema = constraint(type.trim());
  return (
    schema ?? {
      ...(kind === "text" ? { type: "string" } : kind === "number" ? { type: "number" } : kind === "bool" ? { type: "boolean" } : {}),
      $comment: `CUE: ${type}`,
    }
  );
}

/** A field with a default shows no constraint; its value has a type. */
function ofExample(value: unknown): JsonSchema {
  if (value === undefined || value === null) return {};
  if (Array.isArray(value)) return { type: "array" };
  // A default of int may be replaced by any number that CUE takes.
  const names: Readonly<Record<string, string>> = { string: "string", number: "number", boolean: "boolean", object: "object" };
  return { type: names[typeof value] };
}

/** Undefined where JSON Schema has no words for it. */
function constraint(cue: string): JsonSchema | undefined {
  const choices = split(cue, "|");
  if (choices.length > 1) {
    const all = choices.map((choice) => constraint(choice.replace(/^\*/, "").trim()));
    if (all.some((one) => one === undefined)) return undefined;
    return all.every((one) => one !== undefined && "const" in one)
      ? { enum: [...new Set(all.map((one) => one?.["const"]))] }
      : { anyOf: all };
  }
  const parts = split(cue, "&").map((part) => single(part.trim()));
  if (parts.some((part) => part === undefined)) return undefined;
  // Two patterns, or two lower bounds, are both meant.
  const merged: Record<string, unknown> = {};
  const others: JsonSchema[] = [];
  for (const part of parts) {
    // An integer is a number.
    if (part?.["type"] === "number" && merged["type"] === "integer") {
      const { type: _, ...rest } = part;
      if (!Object.keys(rest).some((key) => key in merged)) {
        Object.assign(merged, rest);
        continue;
      }
    }
    const clashes = Object.keys(part ?? {}).some((key) => key in merged && merged[key] !== part?.[key]);
    if (clashes && part !== undefined) others.push(part);
    else Object.assign(merged, part);
  }
  return others.length === 0 ? merged : { allOf: [merged, ...others] };
}

const types: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  number: { type: "number" },
  float: { type: "number" },
  int: { type: "integer" },
  uint: { type: "integer", minimum: 0 },
  null: { const: null },
  _: {},
  bytes: { type: "string", contentEncoding: "base64" },
  "[...]": { type: "array" },
  "{...}": { type: "object" },
  "{}": { type: "object" },
};

const number = "-?\\d[\\d_]*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?";

function single(cue: string): JsonSchema | undefined {
  const known = types[cue];
  if (known !== undefined) return known;
  if (/^\(.*\)$/s.test(cue)) return constraint(cue.slice(1, -1));
  if (/^"(\\.|[^"\\])*"$/.test(cue)) return ofJson(cue);
  if (new RegExp(`^${number}$`).test(cue)) return ofJson(cue.replaceAll("_", ""));
  if (cue === "true" || cue === "false") return { const: cue === "true" };
  const bound = new RegExp(`^(>=|<=|>|<|!=)\\s*(${number})$`).exec(cue);
  if (bound !== null) return ofBound(bound[1] ?? "", Number((bound[2] ?? "").replaceAll("_", "")));
  const pattern = /^(=~|!~|!=)\s*("(?:\\.|[^"\\])*")$/.exec(cue);
  if (pattern !== null) return ofPattern(pattern[1] ?? "", pattern[2] ?? "");
  const runes = /^strings\.(Min|Max)Runes\((\d+)\)$/.exec(cue);
  if (runes !== null) return { type: "string", [runes[1] === "Min" ? "minLength" : "maxLength"]: Number(runes[2]) };
  const sized = /^(u?)int(8|16|32)$/.exec(cue);
  if (sized !== null) {
    const bits = Number(sized[2]);
    return {
      type: "integer",
      ...(sized[1] === "u" ? { minimum: 0, maximum: 2 ** bits - 1 } : { minimum: -(2 ** (bits - 1)), maximum: 2 ** (bits - 1) - 1 }),
    };
  }
  const items = /^\[\.\.\.(.+)\]$/s.exec(cue);
  const item = items === null ? undefined : constraint((items[1] ?? "").trim());
  return item === undefined ? undefined : { type: "array", items: item };
}

function ofJson(text: string): JsonSchema | undefined {
  try {
    return { const: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function ofBound(sign: string, value: number): JsonSchema {
  const names: Readonly<Record<string, string>> = { ">=": "minimum", "<=": "maximum", ">": "exclusiveMinimum", "<": "exclusiveMaximum" };
  const name = names[sign];
  return name === undefined ? { not: { const: value } } : { type: "number", [name]: value };
}

/** Patterns of Go and JavaScript agree but for few things: where they do not, CUE alone says it. */
function ofPattern(sign: string, text: string): JsonSchema | undefined {
  const value = ofJson(text)?.["const"];
  if (typeof value !== "string") return undefined;
  if (sign === "!=") return { not: { const: value } };
  if (/\(\?|\\[pPAzQEC]|\[\[:/.test(value)) return undefined;
  try {
    new RegExp(value, "u");
  } catch {
    return undefined;
  }
  return sign === "=~" ? { type: "string", pattern: value } : { type: "string", not: { pattern: value } };
}

/** At operators that are in no brackets and no text. */
function split(cue: string, operator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let index = 0; index < cue.length; index++) {
    const char = cue[index] ?? "";
    if (char === '"') index += /^"(?:\\.|[^"\\])*"?/.exec(cue.slice(index))?.[0].length ?? 1;
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    if (char === operator && depth === 0) {
      parts.push(cue.slice(begin, index));
      begin = index + 1;
    }
  }
  return [...parts, cue.slice(begin)];
}
