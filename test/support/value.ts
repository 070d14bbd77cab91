// Makes Values by hand, for compiler tests that need no CUE: one JavaScript object is one Value, so sharing is by identity.
import type { Position } from "../../compiler/diagnostic.ts";
import type { Field, Kind, Missing, Value } from "../../compiler/value.ts";

/** A value that CUE cannot complete yet; `fields` may hold `#up`. */
export class Incomplete {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly missing: readonly string[];

  constructor(type: string, fields: Readonly<Record<string, unknown>> = {}, missing: readonly string[] = []) {
    this.type = type;
    this.fields = fields;
    this.missing = missing;
  }
}

/** Turns data into a root Value. Every field gets a line of its own, in order of appearance, in `up.cue`. */
export function makeValue(data: unknown): Value {
  return new Maker(declaredPaths(data)).value(data, "");
}

/** Where each object is declared: its shallowest place. */
function declaredPaths(data: unknown): Map<object, string> {
  const paths = new Map<object, string>();
  let level: [unknown, string][] = [[data, ""]];
  while (level.length > 0) {
    const next: [unknown, string][] = [];
    for (const [item, path] of level) {
      if (typeof item !== "object" || item === null || paths.has(item)) continue;
      paths.set(item, path);
      next.push(...children(item, path).map(([, child, childPath]): [unknown, string] => [child, childPath]));
    }
    level = next;
  }
  return paths;
}

/** Label, data and path of each field or item. */
function children(data: object, path: string): [label: string, data: unknown, path: string][] {
  if (Array.isArray(data)) return data.map((item: unknown, i) => [String(i), item, `${path}[${i}]`]);
  if (data instanceof Uint8Array) return [];
  const fields = data instanceof Incomplete ? data.fields : data;
  return Object.entries(fields).map(([label, item]) => [label, item as unknown, path === "" ? label : `${path}.${label}`]);
}

class Maker {
  readonly #known = new Map<object, Value>();
  readonly #paths: ReadonlyMap<object, string>;
  #line = 0;

  constructor(paths: ReadonlyMap<object, string>) {
    this.#paths = paths;
  }

  value(data: unknown, used: string): Value {
    const path = (typeof data === "object" && data !== null && this.#paths.get(data)) || used;
    if (typeof data !== "object" || data === null || data instanceof Uint8Array) return scalar(data, path);
    const known = this.#known.get(data);
    if (known !== undefined) return known;
    const fields = new Map<string, Field>();
    const items: Field[] = [];
    const value: { -readonly [K in keyof Value]: Value[K] } = { path, kind: kindOf(data), fields, items };
    this.#known.set(data, value);
    if (data instanceof Incomplete) {
      value.type = data.type;
      value.missing = missingOf(data, path);
    }
    for (const [label, item, itemPath] of children(data, path)) {
      const field = this.#field(label, item, itemPath);
      if (Array.isArray(data)) items.push(field);
      else fields.set(label, field);
    }
    return value;
  }

  #field(label: string, data: unknown, path: string): Field {
    this.#line++;
    const at: Position[] = [{ file: "up.cue", line: this.#line, column: 1 }];
    return { label, path, value: this.value(data, path), at, doc: "", attributes: [] };
  }
}

function missingOf(data: Incomplete, path: string): Missing[] {
  const paths = data.missing.length > 0 ? data.missing : [path];
  return paths.map((missing) => ({ path: missing, at: [{ file: "inputs.cue", line: 1, column: 1 }], type: data.type }));
}

function kindOf(data: object): Kind {
  if (data instanceof Incomplete) return "incomplete";
  return Array.isArray(data) ? "list" : "struct";
}

function scalar(data: unknown, path: string): Value {
  const base = { path, fields: new Map<string, Field>(), items: [] };
  if (data === null) return { ...base, kind: "null", scalar: null };
  if (typeof data === "string") return { ...base, kind: "string", scalar: data };
  if (typeof data === "boolean") return { ...base, kind: "bool", scalar: data };
  if (typeof data === "number") return { ...base, kind: Number.isInteger(data) ? "int" : "number", scalar: data };
  if (data instanceof Uint8Array) return { ...base, kind: "bytes", scalar: data };
  throw new TypeError(`no CUE value for ${typeof data}`);
}
