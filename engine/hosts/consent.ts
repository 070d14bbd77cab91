// Nothing runs on the user's machine that they did not agree to: for the run as a whole, or for a command line in a workspace.
import { type Diagnostic, inputError, type Job } from "../../compiler/index.ts";
import { isAllowed } from "../secrets/consent.ts";
import type { SecretScope } from "../secrets/provider.ts";

/** Throws UserError (2) `host-not-allowed` with every process that nobody agreed to. Told before anything runs. */
export async function requireConsent(steps: Job["onHost"], scope: SecretScope): Promise<void> {
  if (scope.allowHost === true) return;
  const refused: Diagnostic[] = [];
  const told = new Set<string>();
  for (const { component, line, at } of steps) {
    // What stands at two places is one step.
    const place = JSON.stringify([line, at]);
    if (told.has(place) || (await isAllowed(`host:${line}`, scope))) continue;
    told.add(place);
    refused.push({
      code: "host-not-allowed",
      message: `\`${line}\`${component === "" ? "" : ` of ${component}`} is to run on this machine, and commands on this machine are not allowed`,
      path: component,
      at,
      hint: `Look at it, and allow it with --allow-host, or for this workspace with \`dagger secret allow ${quote(`host:${line}`)}\``,
    });
  }
  if (refused.length > 0) throw inputError(...refused);
}

function quote(text: string): string {
  return /^[\w%+,./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
