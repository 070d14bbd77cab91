// A Value as plain data: what `cue export` would print of it, without whatever is not known yet.
import type { Value } from "../../compiler/value.ts";

/** Regular fields and list elements; undefined for a value that is not concrete. */
export function valueToData(value: Value): unknown {
  switch (value.kind) {
    case "incomplete":
      return isPartialStruct(value) ? structToData(value) : undefined;
    case "error":
      return undefined;
    case "struct":
      return structToData(value);
    case "list":
      // An element that is not known must not move the ones behind it.
      return value.items.map((item) => valueToData(item.value) ?? null);
    case "bytes":
      return Buffer.from(value.scalar as Uint8Array).toString("base64");
    default:
      return value.scalar;
  }
}

/** A struct whose `if` or `for` waits for a value: the fields so far are final. */
function isPartialStruct(value: Value): boolean {
  return value.type === "{...}";
}

function structToData(value: Value): Record<string, unknown> {
  const out: [string, unknown][] = [];
  for (const [label, field] of value.fields) {
    if (label.startsWith("#") || label.startsWith("_")) continue;
    const data = valueToData(field.value);
    if (data !== undefined) out.push([plainLabel(label), data]);
  }
  return Object.fromEntries(out);
}

/** The text of a label as CUE writes it: `"a-b"` has quotes, and escapes that JSON lacks. */
function plainLabel(label: string): string {
  if (!label.startsWith('"')) return label;
  const json = label.replace(/\\(U[0-9a-fA-F]{8}|.)/gs, (written, kind: string) => {
    if (kind === "a") return "\\u0007";
    if (kind === "v") return "\\u000b";
    return kind.startsWith("U") ? String.fromCodePoint(Number.parseInt(kind.slice(1), 16)) : written;
  });
  return JSON.parse(json) as string;
}
