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
export function valueOf(data: unknown): Value {
  const maker = new Maker();
  return maker.value(data, "");
}

class Maker {
  readonly #known = new Map<object, Value>();
  #line = 0;

  value(data: unknown, path: string): Value {
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
    if (Array.isArray(data)) for (const [i, item] of data.entries()) items.push(this.#field(String(i), item, `${path}[${i}]`));
    else {
      const entries = Object.entries(data instanceof Incomplete ? data.fields : data);
      for (const [label, item] of entries) fields.set(label, this.#field(label, item, path === "" ? label : `${path}.${label}`));
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
