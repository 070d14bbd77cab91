// What makes a component run that does not run by itself, in words.
import type { Waiting } from "../../engine/index.ts";

export function triggerText({ path, trigger }: Waiting): string {
  if (trigger.kind !== "schedule") return `runs with -t ${path}`;
  return `runs at ${trigger.schedule} (${trigger.timezone}) in a watch, or with -t ${path}`;
}
