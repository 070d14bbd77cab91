// Names of stacks and environments, and their slugs: what they are called in paths and addresses.
import { createHash } from "node:crypto";
import type { Diagnostic } from "../../compiler/index.ts";
import { inputError, nearest } from "../../compiler/index.ts";

/** As long as a label of a host name may be. */
const longest = 63;

/** Throws UserError (2) `bad-name`. */
export function checkName(name: string, what: Kind): string {
  const say = (why: string): never => {
    throw inputError({
      code: "bad-name",
      message: `Cannot call ${article[what]} ${JSON.stringify(name)}: ${why}`,
      at: [],
      hint: "Use letters, digits, spaces and - _ . / ( ), for example web-shop",
    });
  };
  if (name.trim() === "") say("a name has at least one letter or digit");
  if (name !== name.trim()) say("a name neither begins nor ends with a space");
  if (name.startsWith("-")) say("a name does not begin with -, which is for flags");
  if (name.length > 200) say("a name has at most 200 characters");

  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) say("it has characters that do not show");
  return name;
}

export type Kind = "stack" | "environment";
const article: Readonly<Record<Kind, string>> = { stack: "a stack", environment: "an environment" };

/**
 * The slug of a name: lower-case letters, digits and hyphens, at most 63 of them, beginning and ending with a letter or digit; the same for the
 * same name everywhere. One that `taken` has gets a number.
 */
export function slugOf(name: string, taken: ReadonlySet<string> = new Set()): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replaceAll("ß", "ss")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, longest)
    .replace(/-+$/, "");
  // A name in another script has no such letters.
  const slug = plain === "" ? `s-${createHash("sha256").update(name).digest("hex").slice(0, 8)}` : plain;
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? slug : `${slug.slice(0, longest - String(count).length - 1)}-${count}`;
    if (!taken.has(candidate)) return candidate;
  }
}

export function isSlug(text: string): boolean {
  return text.length <= longest && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text);
}

interface Named {
  readonly slug: string;
  readonly name: string;
}

/** The one with this slug or this name. Throws UserError (2) with the nearest spelling. */
export function find<T extends Named>(wanted: string, all: readonly T[], unknown: (hint: string | undefined) => Diagnostic): T {
  const found = all.find(({ slug }) => slug === wanted) ?? all.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const [near] = nearest(
    wanted,
    all.flatMap(({ slug, name }) => [slug, name]),
  );
  const list = all.map(({ slug }) => slug);
  throw inputError(unknown(near !== undefined ? `Did you mean ${near}?` : list.length === 0 ? undefined : `There are ${list.join(", ")}`));
}
