// Any concrete CUE value as JSON text.
import type { Field, Value } from "../value.ts";
import { concrete, describe, wrongType } from "./fields.ts";
import type { FieldType, ReadContext } from "./spec.ts";
import { unquote } from "./types.ts";

/** Numbers keep all their digits; bytes become base64, as CUE exports them. Components are what their values are. */
export const json: FieldType<string> = {
  words: `data such as {name: "x"}`,
  read: (field, context) => toJson(field, context),
};

function toJson(field: Field, context: ReadContext): string | undefined {
  const value = concrete(field, context);
  if (value === undefined) return undefined;
  switch (value.kind) {
    case "list":
      return joined(
        value.items.map((item) => toJson(item, context)),
        (items) => `[${items.join(",")}]`,
      );
    case "struct":
      return joined(
        regular(value).map((entry) => member(entry, context)),
        (members) => `{${members.join(",")}}`,
      );
    default:
      return scalarJson(value) ?? wrongType(field, `data, not ${describe(value)}`, context);
  }
}

function member(entry: Field, context: ReadContext): string | undefined {
  const text = toJson(entry, context);
  return text === undefined ? undefined : `${JSON.stringify(unquote(entry.label))}:${text}`;
}

function regular(value: Value): Field[] {
  return [...value.fields.values()].filter(({ label }) => !label.startsWith("#") && !label.startsWith("_"));
}

function joined(parts: readonly (string | undefined)[], join: (parts: readonly string[]) => string): string | undefined {
  const present = parts.filter((part) => part !== undefined);
  return present.length === parts.length ? join(present) : undefined;
}

function scalarJson({ scalar }: Value): string | undefined {
  if (scalar === undefined) return undefined;
  if (typeof scalar === "bigint") return String(scalar);
  if (scalar instanceof Uint8Array) return JSON.stringify(btoa(Array.from(scalar, (byte) => String.fromCharCode(byte)).join("")));
  return JSON.stringify(scalar);
}
