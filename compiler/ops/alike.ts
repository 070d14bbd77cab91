// Components that are the same work, though CUE has evaluated them apart: below a definition a reference may become a copy.
import type { Field, Value } from "../value.ts";

/** Whether two values say the same throughout. What both refer to is the same one, or alike itself. */
export function isAlike(a: Value, b: Value): boolean {
  const known = new Map<Value, Value>();
  const open: [Value, Value][] = [[a, b]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [ours, theirs] = next;
    if (ours === theirs || known.get(ours) === theirs) continue;
    known.set(ours, theirs);
    const [own, other] = [fieldsOf(ours), fieldsOf(theirs)];
    if (!isSame(ours, theirs) || own.length !== other.length) return false;
    for (const [i, { label, value }] of own.entries()) {
      const like = other[i];
      if (like?.label !== label) return false;
      open.push([value, like.value]);
    }
  }
  return true;
}

function isSame(a: Value, b: Value): boolean {
  const bytes = a.scalar instanceof Uint8Array && b.scalar instanceof Uint8Array && a.scalar.toString() === b.scalar.toString();
  return a.kind === b.kind && a.type === b.type && (a.scalar === b.scalar || bytes);
}

function fieldsOf({ fields, items }: Value): Field[] {
  return [...fields.values(), ...items];
}
