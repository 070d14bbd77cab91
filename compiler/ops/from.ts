// `from`: a component, an inline list of ops, or one inline op. Written `_` in CUE so that references stay shared.
import type { Field } from "../value.ts";
import { concrete, describe } from "./fields.ts";
import type { FieldType, ReadContext } from "./spec.ts";
import type { From } from "./use.ts";
import { isComponent } from "./use.ts";

const words = "a component, a list of ops, or one op";

export const from: FieldType<From> = {
  words,
  read: (field, context) => {
    if (isComponent(field.value)) return use(field, context);
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind === "list" || (value.kind === "struct" && value.fields.has("do"))) return use(field, context);
    const inner = value.kind === "struct" ? componentsIn(field) : [];
    context.problem({
      code: "bad-reference",
      message: `Field ${field.path} takes ${words}, got ${describe(value)}${value.kind === "struct" ? " without #up" : ""}`,
      path: field.path,
      at: field.at,
      ...(inner.length > 0 ? { hint: `Did you mean ${inner.join(" or ")}?` } : { hint: "A component is a value with #up: [...ops]" }),
    });
    return undefined;
  },
};

function use(field: Field, context: ReadContext): From {
  context.use(field, "artifact");
  return { kind: "from", value: field.value, path: field.path, at: field.at };
}

/** Components right below a struct that is none itself: what its reference probably meant. */
function componentsIn(field: Field): string[] {
  return [...field.value.fields.values()].filter((inner) => isComponent(inner.value)).map((inner) => inner.value.path);
}
