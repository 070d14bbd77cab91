// The plain types that fields of ops have: texts, numbers, lists and maps of them.
import type { Field } from "../value.ts";
import { concrete, wrongType } from "./fields.ts";
import { orList } from "./near.ts";
import type { FieldType, ReadContext } from "./spec.ts";
import type { Text } from "./use.ts";
import { exportFormats, isComponent } from "./use.ts";

/** A string that must be known before the job runs. */
export const string: FieldType<string> = {
  words: "a string",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    return typeof value.scalar === "string" ? value.scalar : wrongType(field, "a string", context);
  },
};

/** A string that is not "". */
export const name: FieldType<string> = {
  words: "a string",
  read: (field, context) => {
    const text = string.read(field, context);
    return text === "" ? wrongType(field, "a string that is not empty", context) : text;
  },
};

/** A string, or the value of a component that the job computes. A component's value is always mounted, so that later passes build the same graph. */
export const text: FieldType<Text> = { words: "a string", read: (field, context) => readText(field, string, context) };

export const bytes: FieldType<string | Uint8Array> = {
  words: "a string or bytes",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    const { scalar } = value;
    return typeof scalar === "string" || scalar instanceof Uint8Array ? scalar : wrongType(field, "a string or bytes", context);
  },
};

/** A string, bytes, or the value of a component. */
export const content: FieldType<Text | Uint8Array> = {
  words: "a string or bytes",
  read: (field, context) => readText(field, bytes, context),
};

function readText<T>(field: Field, plain: FieldType<T>, context: ReadContext): T | Extract<Text, object> | undefined {
  const { value } = field;
  if (!isComponent(value) || !exportFormats(value).includes("string")) return plain.read(field, context);
  context.use(field, "value");
  return { kind: "computed", value, path: field.path, at: field.at };
}

export const boolean: FieldType<boolean> = {
  words: "true or false",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    return typeof value.scalar === "boolean" ? value.scalar : wrongType(field, "true or false", context);
  },
};

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): FieldType<number> {
  const words = `a whole number from ${min} to ${max}`;
  return {
    words,
    read: (field, context) => {
      const value = concrete(field, context);
      if (value === undefined) return undefined;
      const { scalar } = value;
      return typeof scalar === "number" && Number.isInteger(scalar) && scalar >= min && scalar <= max
        ? scalar
        : wrongType(field, words, context);
    },
  };
}

export const uid: FieldType<number> = integer(0, 0xffff_fffe);

/** Permission bits, e.g. 0o644. */
export const mode: FieldType<number> = integer(0, 0o7777);

/** One of a few strings. */
export function oneOf<Choice extends string>(...choices: readonly Choice[]): FieldType<Choice> {
  const words = orList(choices.map((choice) => JSON.stringify(choice)));
  return {
    words,
    read: (field, context) => {
      const value = concrete(field, context);
      if (value === undefined) return undefined;
      return choices.find((choice) => choice === value.scalar) ?? wrongType(field, words, context);
    },
  };
}

export function listOf<T>(type: FieldType<T>): FieldType<readonly T[]> {
  const words = `a list, each element ${type.words}`;
  return {
    words,
    read: (field, context) => {
      const value = concrete(field, context);
      if (value === undefined) return undefined;
      if (value.kind !== "list") return wrongType(field, words, context);
      return all(value.items.map((item) => type.read(item, context)));
    },
  };
}

/** A struct whose labels are free, in declaration order. */
export function mapOf<T>(type: FieldType<T>): FieldType<readonly (readonly [name: string, value: T])[]> {
  const words = `a struct, each value ${type.words}`;
  return {
    words,
    read: (field, context) => {
      const value = concrete(field, context);
      if (value === undefined) return undefined;
      if (value.kind !== "struct") return wrongType(field, words, context);
      const entries: (readonly [string, T] | undefined)[] = [];
      for (const [label, entry] of value.fields) {
        if (label.startsWith("#") || label.startsWith("_")) continue;
        const read = type.read(entry, context);
        entries.push(read === undefined ? undefined : [unquote(label), read]);
      }
      return all(entries);
    },
  };
}

function all<T>(items: readonly (T | undefined)[]): T[] | undefined {
  const present = items.filter((item) => item !== undefined);
  return present.length === items.length ? present : undefined;
}

/** The name that a label stands for: CUE quotes labels that are no identifiers. */
export function unquote(label: string): string {
  if (!label.startsWith('"')) return label;
  try {
    return String(JSON.parse(label));
  } catch {
    return label.slice(1, -1);
  }
}
