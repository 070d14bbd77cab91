// Tells of registries of modules that are busy and are waited for: a run that stands still says why.
import type { RegistryWait } from "../../runtime/modules/index.ts";
import type { UpEvent } from "../events.ts";

/** The warning of a wait, as a run has it among its events. */
export function waitWarning({ host, what, status, pause }: RegistryWait): Extract<UpEvent, { type: "warning" }> {
  const message = `The registry ${host} is busy (status ${status}): it is asked for ${what} again in ${Math.ceil(pause / 1000)} s`;
  return { type: "warning", code: "registry-busy", message, detail: [], at: [] };
}
