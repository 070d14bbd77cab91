// Paths as the config's author knows them: what is declared outside of the config's data, as in an imported package, goes by the first place
// in the data that refers to it.
import type { Field, Missing, Value } from "../../compiler/value.ts";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Renames such values, all that they hold, and what is said to be missing. Linear, and on stacks of its own: configs may be deep. */
export function nameByPlace(values: readonly Mutable<Value>[]): void {
  const [root] = values;
  if (root === undefined) return;
  const moved = new Map<string, string>();
  const home = declaredInData(root);
  const open: { value: Mutable<Value>; place: string }[] = [{ value: root, place: "" }];
  const seen = new Set<Value>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, place } = next;
    if (seen.has(value)) continue;
    seen.add(value);
    if (!home.has(value) && value.origin === undefined) {
      if (value.path !== place) moved.set(value.path, place);
      move(value, place, home);
    }
    for (const field of visibleFields(value).reverse()) open.push({ value: field.value, place: field.path });
  }
  if (moved.size > 0)
    for (const value of values) if (value.missing !== undefined) value.missing = value.missing.map((one) => atPlace(one, moved));
}

/** The values that are reached from the root by the path of their own declaration. */
function declaredInData(root: Value): Set<Value> {
  const home = new Set<Value>();
  const open = root.path === "" ? [root] : [];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    home.add(value);
    for (const field of visibleFields(value)) if (field.value.path === field.path) open.push(field.value);
  }
  return home;
}

/** Gives a value and what is declared inside it the path of a place; a value that is only referred to there keeps its own. */
function move(root: Mutable<Value>, place: string, home: ReadonlySet<Value>): void {
  const open = [{ value: root, to: place }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, to } = next;
    const from = value.path;
    value.origin = from;
    value.path = to;
    for (const field of [...value.fields.values(), ...value.items] as Mutable<Field>[]) {
      const inside = field.value.path === field.path && field.value.origin === undefined && !home.has(field.value);
      field.path = under(to, field.path.slice(from.length));
      if (inside) open.push({ value: field.value, to: field.path });
    }
  }
}

/** `rest` is what follows a path: `.name`, `[0]`, or the bare name behind the root. */
function under(path: string, rest: string): string {
  if (path === "") return rest.startsWith(".") ? rest.slice(1) : rest;
  return rest.startsWith(".") || rest.startsWith("[") ? path + rest : `${path}.${rest}`;
}

/** The longest part of the path that has moved gives the new one. */
function atPlace(missing: Missing, moved: ReadonlyMap<string, string>): Missing {
  const { path } = missing;
  for (let end = path.length; end > 0; end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))) {
    const place = moved.get(path.slice(0, end));
    if (place !== undefined) return { ...missing, path: under(place, path.slice(end)) };
  }
  return missing;
}

/** Fields that belong to the config's data: no definitions, no hidden ones. */
function visibleFields(value: Value): Field[] {
  const fields = [...value.fields].filter(([label]) => !label.startsWith("#") && !label.startsWith("_")).map(([, field]) => field);
  return [...fields, ...value.items];
}
