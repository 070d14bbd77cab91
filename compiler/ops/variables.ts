// Environment variables: names and texts, checked as far as a process would accept them.
import { wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { mapOf, text } from "./types.ts";
import type { Text } from "./use.ts";

const all = mapOf(text);

export const variables: FieldType<readonly (readonly [name: string, value: Text])[]> = {
  words: "a struct of strings",
  read: (field, context) => {
    const given = all.read(field, context);
    const wrong = given?.find(([name, value]) => name === "" || /[=\0]/.test(name) || (typeof value === "string" && value.includes("\0")));
    if (wrong !== undefined)
      return wrongType(field, `names without "=", and values without NUL`, context, `See ${JSON.stringify(wrong[0])}`);
    return given;
  },
};
