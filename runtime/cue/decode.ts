// The shim's answer as Values: one object per node, so that a value used in a hundred places is one object.
import type { Diagnostic, Position } from "../../compiler/diagnostic.ts";
import type { Attribute, Field, Kind, Missing, Value } from "../../compiler/value.ts";
import { type Mutable, nameByPlace } from "./places.ts";
import type { Exported, Fill, Finding, Node, Use } from "./protocol.ts";
import { uniteFilled } from "./unite.ts";

const NO_FIELDS: ReadonlyMap<string, Field> = new Map();
const NO_ITEMS: readonly Field[] = [];
const NO_ATTRIBUTES: readonly Attribute[] = [];

/** The root value; values with one of `labels` that were alike before `fills` stay one. Paths are those of the config's own places. Makes every object first and links them after, so that no depth of nesting matters. */
export function decodeValue(exported: Exported, fills: readonly Fill[] = [], labels: readonly string[] = []): Value {
  const attributes = exported.attributes.map((list) => list.map(([name, body]) => ({ name, body })));
  const values = exported.nodes.map(newValue);
  // The first use of a node comes before the node itself in the table, and gives it its path.
  const paths: (string | undefined)[] = exported.nodes.map((n) => n.p);
  paths[0] ??= "";

  const decodeUse = (use: Use, parent: string, element: boolean): Field => {
    const [label, target, places, doc, attribute] = use;
    const path = joinPath(parent, label, element);
    const value = typeof target === "number" ? values[target] : scalarValue(target[0], target[1], path);
    if (typeof target === "number") paths[target] ??= path;
    return {
      label,
      path,
      value: value as Value,
      at: decodePlaces(places, exported.files),
      doc: exported.texts[doc] ?? "",
      attributes: attributes[attribute] ?? NO_ATTRIBUTES,
    };
  };

  exported.nodes.forEach((node, index) => {
    const value = values[index] as Mutable<Value>;
    const path = paths[index] ?? "";
    value.path = path;
    if (node.f) value.fields = new Map(node.f.map((use) => [use[0], decodeUse(use, path, false)]));
    if (node.i) value.items = node.i.map((use) => decodeUse(use, path, true));
    if (node.m) value.missing = node.m.map(([at, type, places]): Missing => ({ path: at, type, at: decodePlaces(places, exported.files) }));
  });
  if (exported.nodes.some(({ p }) => p !== undefined)) nameByPlace(values);
  uniteFilled(values, fills, labels);
  return values[0] as Value;
}

/** `a`, `.a` after something, `[0]` for an element. */
export function joinPath(parent: string, label: string, element: boolean): string {
  if (element) return `${parent}[${label}]`;
  return parent === "" ? label : `${parent}.${label}`;
}

function newValue(node: Node): Mutable<Value> {
  return {
    path: "",
    kind: node.k,
    fields: NO_FIELDS,
    items: NO_ITEMS,
    ...(node.s !== undefined && { scalar: decodeScalar(node.k, node.s) }),
    ...(node.t !== undefined && { type: node.t }),
    ...(node.e && { errors: node.e.map(decodeFinding) }),
  };
}

function scalarValue(kind: Kind, text: string, path: string): Value {
  return { path, kind, scalar: decodeScalar(kind, text), fields: NO_FIELDS, items: NO_ITEMS };
}

function decodeScalar(kind: Kind, text: string): null | boolean | number | bigint | string | Uint8Array {
  switch (kind) {
    case "null":
      return null;
    case "bool":
      return text === "true";
    case "int": {
      const number = Number(text);
      return Number.isSafeInteger(number) ? number : BigInt(text);
    }
    case "number":
      return Number(text);
    case "bytes":
      return Buffer.from(text, "base64");
    default:
      return text;
  }
}

function decodePlaces(places: readonly number[], files: readonly string[]): Position[] {
  const out: Position[] = [];
  for (let i = 0; i + 2 < places.length; i += 3) {
    out.push({ file: files[places[i] as number] ?? "", line: places[i + 1] as number, column: places[i + 2] as number });
  }
  return out;
}

/** A finding of the shim in the product's words. */
export function decodeFinding(finding: Finding): Diagnostic {
  const { code, message, path, at, hint } = finding;
  return { code, message, ...(path && { path }), at, ...(hint && { hint }) };
}
