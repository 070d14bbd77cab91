// A secret where an op takes one: by its name, in a struct, so that nobody writes the secret itself by mistake.
import { concrete, readRecord, required, standard, wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { boolean, name } from "./types.ts";

export interface SecretRef {
  readonly secret: string;
  readonly optional: boolean;
}

/** The name of a secret: text, or `{id}` as the first dialect's `dagger.#Secret` has it. */
export const secretName: FieldType<string> = {
  words: "the name of a secret",
  read: (field, context) => {
    const id = field.value.fields.get("id");
    return field.value.kind === "struct" && id !== undefined && !field.value.fields.has("#up")
      ? name.read(id, context)
      : name.read(field, context);
  },
};

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
