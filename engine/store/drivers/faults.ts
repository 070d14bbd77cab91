// What is told of a database that cannot be used.
import { UserError } from "../../../compiler/index.ts";
import type { Fault } from "./dialect.ts";

const reachHint = "Check the address, the user and the password of the store, and that its server runs";

/** The error to throw: a bug stays what it was. */
export function told(fault: Fault, place: string, cause: unknown): unknown {
  if (fault.kind === "bug") return cause;
  return new UserError(3, [{ at: [], ...diagnosticOf(fault, place) }], { cause });
}

type Told = Extract<Fault, { kind: "told" }>;

function diagnosticOf(fault: Exclude<Fault, { kind: "bug" }>, place: string): Omit<Told, "kind"> {
  const { kind: _kind, ...said } =
    fault.kind === "told" ? fault : fault.kind === "busy" ? staysBusy(place, fault.why) : unreachable(place, fault.why);
  return said;
}

function staysBusy(place: string, why: string): Told {
  const hint = "Try again when the other processes that use the store are done";
  return { kind: "told", code: "store-busy", message: `The store ${place} stays busy: ${why}`, hint };
}

export function unreachable(place: string, why: string): Told {
  return { kind: "told", code: "store-unreachable", message: `The store ${place} cannot be reached: ${why}`, hint: reachHint };
}
