// Environment variables: names and texts, checked as far as a process would accept them.
import type { Field } from "../value.ts";
import { wrongType } from "./fields.ts";
import { secretRef } from "./secret.ts";
import type { FieldType, ReadContext } from "./spec.ts";
import { mapOf, text } from "./types.ts";
import type { SecretRef, Text } from "./use.ts";
import { isComponent } from "./use.ts";

type Variables<T> = readonly (readonly [name: string, value: T])[];

/** A text, or a secret: that one is known to the process only. */
const textOrSecret: FieldType<Text | SecretRef> = {
  words: `a string, or {secret: "NAME"}`,
  read: (field, context) => {
    const { value } = field;
    return value.kind === "struct" && !isComponent(value) ? secretRef.read(field, context) : text.read(field, context);
  },
};

export const variables: FieldType<Variables<Text>> = checked(mapOf(text), "a struct of strings");
export const processVariables: FieldType<Variables<Text | SecretRef>> = checked(mapOf(textOrSecret), "a struct of strings and secrets");

function checked<T>(all: FieldType<Variables<T>>, words: string): FieldType<Variables<T>> {
  return { words, read: (field, context) => readChecked(all, field, context) };
}

function readChecked<T>(all: FieldType<Variables<T>>, field: Field, context: ReadContext): Variables<T> | undefined {
  const given = all.read(field, context);
  const wrong = given?.find(([name, value]) => name === "" || /[=\0]/.test(name) || (typeof value === "string" && value.includes("\0")));
  if (wrong === undefined) return given;
  return wrongType(field, `names without "=", and values without NUL`, context, `See ${JSON.stringify(wrong[0])}`);
}
