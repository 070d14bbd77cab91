// Names in other systems: labels of host names, of at most so many characters.
import { createHash } from "node:crypto";
import { slugOf } from "../stacks/names.ts";

/** A label of at most `longest` characters, at most 63. Of a longer text the end is a digest, so that different texts stay different. */
export function labelOf(text: string, longest = 63): string {
  const slug = slugOf(text);
  if (slug.length <= longest && text.length <= longest) return slug;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${slug.slice(0, longest - 9).replace(/-+$/, "")}-${digest}`;
}

/** A name of a node, so short that names of what belongs to it may be longer. */
export function nodeName(text: string): string {
  return labelOf(text, 48);
}

/** What belongs to a node: the step that hands its outputs on, the volume of /out, what runs before it, what waits for it. */
export function partsOf(name: string): {
  readonly outputs: string;
  readonly out: string;
  readonly start: string;
  readonly wait: string;
  readonly files: string;
} {
  return { outputs: `${name}-outputs`, out: `${name}-out`, start: `${name}-start`, wait: `wait-${name}`, files: `${name}-files` };
}
