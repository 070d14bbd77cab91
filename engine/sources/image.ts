// Names of images that are sources, completed as docker completes them.
import { inputError, normalizeReference } from "../../compiler/index.ts";
import type { Source } from "./source.ts";

/** The whole name with its tag: `docker.io/library/debian:bookworm`. Throws UserError (2) `bad-source`. */
export function imageName({ name, location, tag }: Source): string {
  const found = normalizeReference(tag === undefined ? location : `${location}:${tag}`);
  if (found.ok) return found.reference;
  throw inputError({
    code: "bad-source",
    message: `Cannot take the source ${name} so: ${found.problem}`,
    at: [],
    hint: "Write for example debian:bookworm",
  });
}
