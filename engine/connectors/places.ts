// Places of a config that ask for something by an attribute: each once, as fills name them.
import type { Field, Value } from "../../compiler/index.ts";

/** One place that asks. */
export interface AskingPlace<T> {
  /** CUE path, as fills take it. */
  readonly path: string;
  readonly field: Field;
  /** What it asks for. */
  readonly found: T;
}

/** `read` says what a field asks for; undefined when it asks for nothing. */
export function placesOf<T>(root: Value, read: (field: Field) => T | undefined): readonly AskingPlace<T>[] {
  const below = new Map<Value, readonly AskingPlace<T>[]>();
  const under = (value: Value): readonly AskingPlace<T>[] => {
    const known = below.get(value);
    if (known !== undefined) return known;
    // Whoever comes back to a value while it is looked at finds nothing more there.
    below.set(value, []);
    const found = [
      ...[...value.fields.values()].filter(({ label }) => !/^[#_]/.test(label)).flatMap((field) => at(field, field.label)),
      ...value.items.flatMap((item, index) => at(item, `[${index}]`)),
    ];
    below.set(value, found);
    return found;
  };
  const at = (field: Field, label: string): readonly AskingPlace<T>[] => {
    const { value } = field;
    // What refers to another place of the config has what that place gets. What refers to a definition has a place of its own.
    if (value.path !== field.path && value.origin === undefined) return [];
    const found = read(field);
    if (found !== undefined) return [{ path: label, field, found }];
    return under(value).map((one) => ({ ...one, path: one.path.startsWith("[") ? `${label}${one.path}` : `${label}.${one.path}` }));
  };
  return under(root);
}

/** The text of a field that is concrete. */
export function textOf({ value }: Pick<Field, "value">, name: string): string | undefined {
  const scalar = value.fields.get(name)?.value.scalar;
  return scalar === undefined || scalar === null ? undefined : String(scalar);
}
