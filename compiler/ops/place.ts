// Places of findings: a mistake that shows in a definition of the library is told where the user's config uses it, first.
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { Field, Value } from "../value.ts";
import { fieldAt, rootField, splitPath } from "./walk.ts";

/** Each finding with a line of the config before those of packages, where the config has one. */
export function placeInConfig(list: readonly Diagnostic[], root: Value): Diagnostic[] {
  const whole = rootField(root);
  return list.map((one) => {
    const own = one.at.filter((at) => !isLibrary(at));
    const others = one.at.filter(isLibrary);
    if (others.length === 0) return one;
    const use = own.length === 0 ? useOf(one.path ?? "", whole) : undefined;
    return { ...one, at: [...(use === undefined ? own : [use]), ...others] };
  });
}

/** Files of the library go by their import paths; a value that a step exported has no file. */
function isLibrary({ file }: Position): boolean {
  return /^(cuellb\.dev\/|alpha\.dagger\.io\/|export of )/.test(file);
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
