// When hooks run, in words.
import type { HookRun } from "../../engine/index.ts";
import { clean } from "./lines.ts";

type Named = Pick<HookRun, "path" | "on" | "of">;

/** `on error of build, test`; `on exit` for the whole run. */
export function hookText({ on, of }: Named): string {
  return `on ${on}${of.length === 0 ? "" : ` of ${of.map((path) => clean(path)).join(", ")}`}`;
}

/** A line with its end. */
export function formatHooks(hooks: readonly Named[]): string {
  return `hooks: ${hooks.map((hook) => `${clean(hook.path)} (${hookText(hook)})`).join(", ")}\n`;
}
