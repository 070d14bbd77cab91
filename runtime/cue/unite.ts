// One value at several places stays one after it was filled in: the fills end CUE's sharing of what they are put into.
import type { Field, Value } from "../../compiler/value.ts";
import type { Mutable } from "./places.ts";
import type { Fill } from "./protocol.ts";

/** Makes one value of those that fills of one origin were put into, and of what these use, as long as they are still alike. */
export function uniteFilled(values: readonly Mutable<Value>[], fills: readonly Fill[], labels: readonly string[]): void {
  const groups = placesByOrigin(fills);
  if (groups.length === 0) return;
  const at = valuesAt(values, new Set(groups.flat()));
  const same = new Map<Value, Mutable<Value>>();
  for (const group of groups) {
    const [first, ...others] = group.flatMap((path) => at.get(path) ?? []);
    for (const other of others) {
      for (const [theirs, ours] of (first !== undefined && first !== other && pairsOf(first, other)) || []) {
        if (labels.some((label) => ours.fields.has(label)) && !same.has(theirs) && !same.has(ours)) same.set(theirs, ours);
      }
    }
  }
  if (same.size === 0) return;
  for (const value of same.values()) value.origin ??= value.path;
  for (const value of values) for (const field of fieldsOf(value)) field.value = same.get(field.value) ?? field.value;
}

function placesByOrigin(fills: readonly Fill[]): string[][] {
  const places = new Map<string, string[]>();
  for (const { path, origin, elements } of fills) if (elements === true) places.set(origin, [...(places.get(origin) ?? []), path]);
  return [...places.values()].filter(({ length }) => length > 1);
}

function valuesAt(values: readonly Mutable<Value>[], paths: ReadonlySet<string>): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const value of values) for (const field of fieldsOf(value)) if (paths.has(field.path)) found.set(field.path, field.value);
  return found;
}

/** Each value in and below `other` that is not the same already, with its like in `first`; undefined where they are not alike. */
function pairsOf(first: Value, other: Value): Map<Value, Mutable<Value>> | undefined {
  const pairs = new Map<Value, Mutable<Value>>();
  const open = [{ ours: first as Mutable<Value>, theirs: other }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { ours, theirs } = next;
    if (ours === theirs || pairs.get(theirs) === ours) continue;
    const [a, b] = [fieldsOf(ours), fieldsOf(theirs)];
    if (pairs.has(theirs) || !isAlike(ours, theirs) || a.length !== b.length) return undefined;
    pairs.set(theirs, ours);
    for (const [i, { label, value }] of a.entries()) {
      if (b[i]?.label !== label) return undefined;
      open.push({ ours: value, theirs: b[i].value });
    }
  }
  return pairs;
}

function isAlike(a: Value, b: Value): boolean {
  const bytes = a.scalar instanceof Uint8Array && b.scalar instanceof Uint8Array && Buffer.compare(a.scalar, b.scalar) === 0;
  return a.kind === b.kind && a.type === b.type && (a.scalar === b.scalar || bytes);
}

function fieldsOf(value: Value): Mutable<Field>[] {
  return [...value.fields.values(), ...value.items];
}
