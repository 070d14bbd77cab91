// The inputs of a config: what whoever runs it may give. They are marked with @dagger(input), or open: declared, and without a value.
import type { Field, Position, Value } from "../../compiler/index.ts";
import type { SettingKind } from "./setting.ts";

export interface ConfigInput {
  /** CUE path, or the id of a secret or socket. */
  readonly path: string;
  /** How it is set when nobody says otherwise. */
  readonly kind: SettingKind;
  /** Its constraint as CUE text, e.g. `>0 & <10`; empty where only a value is known. */
  readonly type: string;
  /** First paragraph of its comment; may be empty. */
  readonly title: string;
  /** The rest of its comment. */
  readonly description: string;
  /** JSON-able; undefined when it has none. */
  readonly default?: unknown;
  /** A run needs it, and the config gives no value. */
  readonly required: boolean;
  readonly at: readonly Position[];
}

/** In the order of the config. */
export function findInputs(root: Value): readonly ConfigInput[] {
  const inputs: ConfigInput[] = [];
  const seen = new Set<Value>();
  const walk = (value: Value, inComponent: boolean): void => {
    if (seen.has(value)) return;
    seen.add(value);
    for (const field of value.fields.values()) {
      // What a connector gives is no input.
      if (/^[#_]/.test(field.label) || isConnector(field.value)) continue;
      const input = inputOf(field, inComponent);
      if (input !== undefined) inputs.push(input);
      // What is written as a reference is an input where it is declared.
      else if (field.value.path === field.path) walk(field.value, inComponent || isComponent(field.value));
    }
  };
  walk(root, isComponent(root));
  return inputs;
}

function isConnector({ fields }: Value): boolean {
  return fields.get("name")?.attributes.some(({ name }) => name === "connector") === true;
}

function inputOf(field: Field, inComponent: boolean): ConfigInput | undefined {
  const { value } = field;
  const marked = field.attributes.some(({ name, body }) => name === "dagger" && /(^|,)\s*input\b/.test(body));
  if (value.path !== field.path && !marked) return undefined;
  if (isComponent(value) && !marked) return undefined;
  const kind = kindOf(value);
  const open = isOpen(value);
  // A component's own fields are mostly given by its library; those that a run lacks are found when it is compiled.
  const found = marked ? !hasOpenBelow(value) || kind === "secret" : kind === "secret" || (open && !inComponent);
  if (!found) return undefined;
  const isGiven =
    value.scalar !== undefined || value.kind === "list" || value.kind === "null" || (value.kind === "struct" && kind === "json");
  return { ...about(field), kind, required: !isGiven, ...(isGiven ? { default: plain(value) } : {}) };
}

/** What is said about a field wherever it is found. */
export function about({ path, value, at, doc }: Field): Omit<ConfigInput, "kind" | "required"> {
  const [title = "", ...rest] = doc.trim().split(/\n\s*\n/);
  return { path, type: value.type ?? "", title: title.replaceAll("\n", " "), description: rest.join("\n\n"), at };
}

/** Nothing else than a value for itself would make it concrete. */
function isOpen({ kind, path, missing = [] }: Value): boolean {
  return kind === "incomplete" && missing.length > 0 && missing.every((one) => one.path === path || isUpOf(one.path, path));
}

function isUpOf(missing: string, path: string): boolean {
  return missing === `${path}.` || missing.startsWith(`${path}.#up`);
}

function isComponent({ fields }: Value): boolean {
  return fields.get("#up")?.value.kind === "list";
}

/** A struct of inputs, each of which is told for itself. */
function hasOpenBelow(value: Value): boolean {
  return (
    value.kind === "struct" &&
    [...value.fields.values()].some(({ label, value: one }) => !/^[#_]/.test(label) && (isOpen(one) || hasOpenBelow(one)))
  );
}

/** What kind of setting fits a value, as far as its type tells. */
export function kindOf(value: Value): SettingKind {
  const { kind, type = "", fields } = value;
  if (fields.has("#up")) return "directory";
  // dagger.#Secret: nothing but its name is part of the config.
  const id = fields.get("id");
  if (id?.value.kind === "incomplete" && id.doc.startsWith("Name of the secret")) return "secret";
  if (id?.value.kind === "incomplete" && id.doc.startsWith("Name of the socket")) return "socket";
  if (kind === "bool" || /\bbool\b/.test(type)) return "bool";
  if (kind === "string" || kind === "bytes") return "text";
  if (kind === "int" || kind === "number") return "number";
  if (kind !== "incomplete" || type === "_" || type === "") return "json";
  if (/\bstring\b|"|=~|\bstrings[.]/.test(type) && !/[{[]/.test(type.replace(/"(\\.|[^"\\])*"/g, ""))) return "text";
  if (/\b(u?int\d*|number|float\d*)\b|[<>]=?\s*-?\d|^-?\d/.test(type) && !/[{[]/.test(type)) return "number";
  return "json";
}

/** A value as data; what is not concrete is left out. */
function plain(value: Value): unknown {
  if (value.kind === "list") return value.items.map((item) => plain(item.value));
  if (value.kind === "struct") {
    const fields = [...value.fields.values()].filter(({ label, value: one }) => !/^[#_]/.test(label) && one.kind !== "incomplete");
    return Object.fromEntries(fields.map((field) => [field.label, plain(field.value)]));
  }
  if (typeof value.scalar === "bigint") return value.scalar.toString();
  return value.scalar instanceof Uint8Array ? Buffer.from(value.scalar).toString("base64") : (value.scalar ?? null);
}

/** The field at a path that CUE would write so; undefined when there is none. */
export function fieldAt(root: Value, path: string): Field | undefined {
  let value: Value | undefined = root;
  let field: Field | undefined;
  for (const [label] of path.matchAll(/"(?:\\.|[^"\\])*"|[^."]+/g)) {
    field = value?.fields.get(label) ?? value?.fields.get(label.replace(/^"(.*)"$/, "$1")) ?? value?.fields.get(JSON.stringify(label));
    value = field?.value;
    if (field === undefined) return undefined;
  }
  return field;
}
