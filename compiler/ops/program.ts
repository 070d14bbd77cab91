// Programs: the lists of ops that the graph is built from. A component has one, and so has every inline `from`.
import type { Position } from "../diagnostic.ts";
import type { Field, Missing, Value } from "../value.ts";
import type { Op } from "./op.ts";

/** A list of ops, read once however often it is used. */
export interface Program {
  /** Its identity: the component, the inline list, or the inline op. */
  readonly value: Value;
  /** CUE path of the component it belongs to; "" when the whole config is one component. */
  readonly component: string;
  /** Where its value goes: its own path, or every place in the config's data that refers to it when it is declared outside of that. */
  readonly places: readonly string[];
  /** False for inline ops, which belong to the component that they are written in. */
  readonly named: boolean;
  readonly at: readonly Position[];
  readonly doc: string;
  readonly ops: readonly Op[];
  /** The programs whose filesystem or value it needs, in order of first use; each once. */
  readonly uses: readonly Field[];
  /** Those of `uses` whose value it takes. */
  readonly texts: ReadonlySet<Value>;
  /** What has no value yet and keeps it from being built. */
  readonly missing: readonly Missing[];
}

/** The path of a component for people: the whole config has none. */
export function showComponent(path: string): string {
  return path === "" ? "(root)" : path;
}

/** A hidden component is a part of the one around it, of which its author has told nobody. */
export function knownAs(component: string): string {
  const hidden = component.indexOf("._");
  return hidden < 0 ? component : component.slice(0, hidden);
}
