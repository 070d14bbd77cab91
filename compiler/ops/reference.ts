// References of images, completed as docker completes them.
import { normalizeReference } from "../llb/index.ts";
import type { FieldType } from "./spec.ts";
import { string } from "./types.ts";

export const reference: FieldType<string> = {
  words: `an image reference such as "debian:12"`,
  read: (field, context) => {
    const text = string.read(field, context);
    if (text === undefined) return undefined;
    const read = normalizeReference(text);
    if (read.ok) return read.reference;
    context.problem({
      code: "invalid-reference",
      message: `Invalid image reference ${JSON.stringify(text)}: ${read.problem}`,
      path: field.path,
      at: field.at,
      hint: "Write it as [registry/]repository[:tag][@digest]",
    });
    return undefined;
  },
};
