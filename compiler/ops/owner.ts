// Owners of files, as `user`, `user:group`, or numeric ids.
import type { Chown } from "../graph/vertex.ts";
import { parseOwner } from "../llb/index.ts";
import { wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { string } from "./types.ts";

const words = `a user, "user:group" or "uid:gid"`;

export const owner: FieldType<Chown> = {
  words,
  read: (field, context) => {
    const given = string.read(field, context);
    if (given === undefined) return undefined;
    const parts = given.split(":");
    return parts.length > 2 || parts.includes("") ? wrongType(field, words, context) : parseOwner(given);
  },
};
