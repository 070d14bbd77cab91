// What a definition of a package takes and gives, told from its documented fields.
import type { DocField } from "../../runtime/cue/index.ts";

export interface DescribedDefinition {
  readonly name: string;
  /** The first paragraph of its comment. */
  readonly doc: string;
  /** Inputs without which it does not run. */
  readonly needs: readonly string[];
  /** All other inputs. */
  readonly inputs: readonly string[];
  /** Inputs that are, or have inside, a secret. */
  readonly secrets: readonly string[];
  /** Inputs that choose platforms; without any it runs on that of the daemon. */
  readonly platforms: readonly string[];
  /** Values that a run gives, with their types; its own value has no name. */
  readonly values: readonly { readonly name: string; readonly type: string }[];
  /** It has a filesystem of its own. */
  readonly filesystem: boolean;
}

export function describeDefinition(field: DocField): DescribedDefinition {
  const fields = field.fields ?? [];
  const given = fields.filter((one) => one.component === true && one.mark === "");
  const inputs = fields.filter((one) => !given.includes(one) && !isFixed(one));
  const names = (some: readonly DocField[]): readonly string[] => some.map(({ name }) => name);
  const own = field.component === true && field.type !== "" ? [{ name: "", type: field.type }] : [];
  return {
    name: field.name,
    doc: field.doc.split("\n\n")[0]?.replaceAll("\n", " ") ?? "",
    needs: names(inputs.filter(({ mark }) => mark === "!")),
    inputs: names(inputs.filter(({ mark }) => mark !== "!")),
    secrets: names(inputs.filter(holdsSecret)),
    platforms: names(inputs.filter(({ name }) => /^platforms?$/.test(name))),
    values: [...own, ...given.filter(({ type }) => type !== "").map(({ name, type }) => ({ name, type }))],
    filesystem: field.component === true,
  };
}

/** The name of an op, say: nobody gives it. */
function isFixed({ type, mark, default: fallback }: DocField): boolean {
  return mark === "" && fallback === "" && /^"[^"]*"$/.test(type);
}

function holdsSecret({ type, name, fields }: DocField): boolean {
  return /#(Secret|SecretMount|SecretVariable)\b/.test(type) || name === "secret" || (fields ?? []).some(holdsSecret);
}
