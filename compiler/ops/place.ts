// Places of findings: a mistake that shows in a definition of the library is told where the user's config uses it, first.
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { Field } from "../value.ts";
import { fieldAt, splitPath } from "./walk.ts";

/** Each finding with a line of the config before those of packages, where the config has one. */
export function placeInConfig(list: readonly Diagnostic[], root: Field): Diagnostic[] {
  return list.map((one) => {
    const own = one.at.filter((at) => !isLibrary(at));
    const others = one.at.filter(isLibrary);
    if (others.length === 0) return one;
    const use = own.length === 0 ? useOf(one.path ?? "", root) : undefined;
    return { ...one, at: [...(use === undefined ? own : [use]), ...others] };
  });
}

/** Files of the library go by their import paths. */
function isLibrary({ file }: Position): boolean {
  return /^(cuellb\.dev|alpha\.dagger\.io)\//.test(file);
}

/** The innermost place of the config around a value. */
function useOf(path: string, root: Field): Position | undefined {
  let found: Position | undefined;
  let prefix = "";
  for (const label of splitPath(path)) {
    prefix += /^\d+$/.test(label) ? `[${label}]` : prefix === "" ? label : `.${label}`;
    found = fieldAt(root, prefix)?.at.find((at) => !isLibrary(at)) ?? found;
  }
  return found;
}
