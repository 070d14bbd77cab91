// What a job needs of the daemon and of registries before its graph is built, read from the ops.

import type { Job, Program, Value } from "../../compiler/index.ts";
import { readOps } from "../../compiler/index.ts";

/** All programs of a config, also those that this pass leaves out. */
export function programsOf(root: Value): Set<Program> {
  const workflow = readOps(root);
  const programs = new Set(workflow.components);
  // The set grows while it is walked: programs that others use come behind them.
  for (const program of programs) for (const use of program.uses) programs.add(workflow.program(use));
  return programs;
}

/** What a build must be allowed beyond the ordinary: the daemon wants to know when it starts. */
export function entitlementsOf(root: Value): Job["entitlements"] {
  const needed = new Set<Job["entitlements"][number]>();
  for (const { ops } of programsOf(root)) {
    for (const op of ops) {
      if (op.do !== "exec") continue;
      if (op.network === "host") needed.add("network.host");
      if (op.insecure === true) needed.add("security.insecure");
      if (op.devices.length > 0) needed.add("device");
    }
  }
  return [...needed];
}
