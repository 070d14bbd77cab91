// Ops as plain data: what print.ts makes of them.
import type { Position } from "../diagnostic.ts";

/** A component as plain data. `waits` are the CUE paths that keep it from being built; inline ops stand in place of their `from`. */
export interface ComponentOps {
  readonly path: string;
  readonly at?: Position;
  readonly waits?: readonly string[];
  readonly ops: readonly OpData[];
}

/** Fields are as CUE has them, but for those with their usual value, which are left out. `places` are those of the fields. */
export type OpData = { readonly do: string; readonly at?: Position; readonly places?: Readonly<Record<string, Position>> } & {
  readonly [field: string]: unknown;
};
