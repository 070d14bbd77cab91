// A secret where an op takes one: by its name, in a struct, so that nobody writes the secret itself by mistake.
import { concrete, readRecord, required, standard, wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { boolean, name } from "./types.ts";
import type { SecretRef } from "./use.ts";

/** A name: text, or a struct with an `id`, as the first dialect's `dagger.#Secret` and `dagger.#Stream` are. */
export function nameOrId(words: string, kind: string): FieldType<string> {
  return {
    words,
    read: (field, context) => {
      const { value } = field;
      const id = value.fields.get("id");
      if (id === undefined || value.fields.has("#up")) return name.read(field, context);
      if (id.value.kind !== "incomplete") return name.read(id, context);
      context.missing([{ path: context.nameOf(value), at: field.at, type: kind }]);
      return undefined;
    },
  };
}

export const secretName: FieldType<string> = nameOrId("the name of a secret", "a secret");

const words = `{secret: "NAME"}`;
const fields = { secret: required(name), optional: standard(boolean, false) };

export const secretRef: FieldType<SecretRef> = {
  words,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    // The text may be the secret itself: it is not repeated.
    if (value.kind !== "struct") {
      context.problem({
        code: "wrong-type",
        message: `Field ${field.path} takes the name of a secret as ${words}, got a ${value.kind}`,
        path: field.path,
        at: field.at,
        hint: `Write {secret: "NAME"} and pass its value with --secret NAME=env:VARIABLE`,
      });
      return undefined;
    }
    if (value.fields.has("#up")) return wrongType(field, words, context, "A component's value is no secret");
    return readRecord("secret", fields, field, context) as SecretRef | undefined;
  },
};

/** As `secretRef`, or the first dialect's `{id}`: for fields that nobody could mistake for plain values. */
export const secretField: FieldType<SecretRef> = {
  words,
  read: (field, context) => {
    if (field.value.kind !== "struct" || !field.value.fields.has("id")) return secretRef.read(field, context);
    const secret = secretName.read(field, context);
    return secret === undefined ? undefined : { secret, optional: false };
  },
};
