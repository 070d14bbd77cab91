// What a build must be allowed beyond the ordinary, told before the graph is built: the daemon wants to know at the start.

import type { Job, Value } from "../compiler/index.ts";
import { readOps } from "../compiler/index.ts";

/** Of all execs of a config, also of those that this pass leaves out. */
export function entitlementsOf(root: Value): Job["entitlements"] {
  const needed = new Set<Job["entitlements"][number]>();
  const workflow = readOps(root);
  const programs = new Set(workflow.components);
  // The set grows while it is walked: programs that others use come behind them.
  for (const program of programs) {
    for (const use of program.uses) programs.add(workflow.program(use));
    for (const op of program.ops) {
      if (op.do !== "exec") continue;
      if (op.network === "host") needed.add("network.host");
      if (op.insecure === true) needed.add("security.insecure");
    }
  }
  return [...needed];
}
