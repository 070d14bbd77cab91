// Walks a config for its components: values with `#up`, and for the values that no component can use before they are known.
import type { Field, Value } from "../value.ts";
import { unquote } from "./types.ts";
import { givesValue, isComponent, isMention } from "./use.ts";

/** What a config has for a job. */
export interface Found {
  /** Components in declaration order, each once. Definitions and hidden fields are templates: theirs are built only when used. */
  readonly components: readonly Field[];
  /** Where components stand in the config's data, in declaration order: `app: #App` is the component of a definition under a name of its own. */
  readonly places: ReadonlyMap<Value, readonly string[]>;
  /** Fields that CUE cannot complete yet and that may hold further components. */
  readonly undecided: readonly Field[];
}

/** Walks depth first, on a stack of its own: configs may be deep. */
export function findComponents(root: Field): Found {
  const components: Field[] = [];
  const undecided: Field[] = [];
  const places = new Map<Value, string[]>();
  const seen = new Set<Value>();
  const gives = valueGivers();
  const stack = [{ field: root, at: root.path }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { field, at } = next;
    const { value } = field;
    if (isComponent(value)) places.set(value, [...(places.get(value) ?? []), at]);
    if (seen.has(value)) {
      // A computed value has to go to every place that refers to it from outside: all of them are looked for, where there is one.
      if (value.origin !== undefined && gives(value)) stack.push(...below(value, at));
      continue;
    }
    seen.add(value);
    if (isComponent(value)) components.push(field);
    else if (value.kind === "incomplete" && mayHoldComponents(value)) undecided.push(field);
    stack.push(...below(value, value.origin === undefined ? value.path : at));
  }
  return { components, places, undecided };
}

/** What lies below a value that stands at a place, the first on top of the stack. */
function below(value: Value, at: string): { field: Field; at: string }[] {
  const fields = visible(value).reverse();
  return fields.map((field) => ({ field, at: value.path === "" ? field.path : at + field.path.slice(value.path.length) }));
}

/** Tells whether a value, or one below it that is declared outside of the config's data too, gets a value from the job. Each is looked at once. */
function valueGivers(): (value: Value) => boolean {
  const known = new Map<Value, boolean>();
  return (root) => {
    const stack = [root];
    for (let value = stack.at(-1); value !== undefined; value = stack.at(-1)) {
      const inner = visible(value).flatMap((field) => (field.value.origin === undefined ? [] : [field.value]));
      if (!known.has(value)) {
        known.set(value, givesValue(value));
        stack.push(...inner.filter((one) => !known.has(one)));
      } else {
        stack.pop();
        if (inner.some((one) => known.get(one) === true)) known.set(value, true);
      }
    }
    return known.get(root) === true;
  };
}

/** Fields that belong to the config's data: no definitions, no hidden ones, no mere mentions. */
function visible(value: Value): Field[] {
  const data = [...value.fields].filter(([label, field]) => !label.startsWith("#") && !label.startsWith("_") && !isMention(field));
  const fields = data.map(([, field]) => field);
  return [...fields, ...value.items];
}

/** A struct or list that waits for a value, e.g. for the condition of an `if`; scalars hold no components. */
function mayHoldComponents(value: Value): boolean {
  return value.fields.size > 0 || value.items.length > 0 || /^[{[_]|\bif\b|\bfor\b/.test(value.type ?? "_");
}

/** The innermost component on the way from the root to a path; undefined when there is none. */
export function componentAt(root: Field, path: string): Field | undefined {
  let field: Field | undefined = root;
  let found: Field | undefined = isComponent(root.value) ? root : undefined;
  for (const label of splitPath(path)) {
    field = step(field, label);
    if (field === undefined) return found;
    if (isComponent(field.value)) found = field;
  }
  return found;
}

/** A whole config as the field that everything lies in. */
export function rootField(value: Value): Field {
  return { label: "", path: value.path, value, at: [], doc: "", attributes: [] };
}

/** The field at a path of the config; undefined when there is none. */
export function fieldAt(root: Field, path: string): Field | undefined {
  let field: Field | undefined = root;
  for (const label of splitPath(path)) {
    if (field === undefined) return undefined;
    field = step(field, label);
  }
  return field;
}

function step(field: Field, label: string): Field | undefined {
  const { fields, items } = field.value;
  if (/^\d+$/.test(label)) return items[Number(label)];
  return fields.get(label) ?? [...fields].find(([name]) => name.startsWith('"') && unquote(name) === unquote(label))?.[1];
}

/** `a."b.c"[0].#d` → `a`, `"b.c"`, `0`, `#d`. */
export function splitPath(path: string): string[] {
  const parts = path.match(/"(?:[^"\\]|\\.)*"|\[\d+\]|[^.[\]]+/g) ?? [];
  return parts.map((part) => (part.startsWith("[") ? part.slice(1, -1) : part));
}
