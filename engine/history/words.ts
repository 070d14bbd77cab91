// The history's words for people.
import type { LeaseEntry } from "../store/index.ts";

/** Who is waited for, before a run starts. */
export function waitingText(before: readonly LeaseEntry[]): string {
  const [holder] = before;
  if (holder === undefined) return "Waiting for another run of this environment";
  const others = before.length - 1;
  const behind = others === 0 ? "" : `, and for ${others} more before this one`;
  return `Waiting for the run ${holder.run ?? ""} of this environment (${holder.holder})${behind}; --supersede would cancel it`;
}
