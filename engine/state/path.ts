// CUE paths in values that are data.
import type { Json } from "../store/index.ts";

/** `a."b c"[0]` as labels. */
export function labelsOf(path: string): string[] {
  return [...path.matchAll(/"((?:[^"\\]|\\.)*)"|\[(\d+)\]|([^."[\]]+)/g)].map(([whole, quoted, index, name]) =>
    quoted !== undefined ? (JSON.parse(whole) as string) : (index ?? name ?? ""),
  );
}

export function valueAt(value: Json, labels: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const label of labels) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, label)) return undefined;
    at = (at as Readonly<Record<string, Json>>)[label];
  }
  return at;
}

/** A copy with another value at a path; structs on the way are made. */
export function withValue(value: Json, [first, ...rest]: readonly string[], given: Json): Json {
  if (first === undefined) return given;
  if (Array.isArray(value)) return value.map((item: Json, index) => (String(index) === first ? withValue(item, rest, given) : item));
  const fields = typeof value === "object" && value !== null ? (value as Readonly<Record<string, Json>>) : {};
  return { ...fields, [first]: withValue(fields[first] ?? {}, rest, given) };
}
