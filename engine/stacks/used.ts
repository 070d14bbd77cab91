// What a run of an environment was made from beside its files, as it is kept with what it gives: by this it is known later that it is stale.
import { createHash } from "node:crypto";
import type { StackRun } from "../request.ts";
import { formatReference } from "../settings/references.ts";
import { formatSettings, type Setting } from "../settings/setting.ts";
import type { Json } from "../store/index.ts";

/** An output that a run took. */
export interface UsedOutput {
  /** CUE path of the input. */
  readonly input: string;
  /** As it was written, e.g. `network.vpc.id`. */
  readonly from: string;
  /** Who gave it, as `STACK/ENV`, in which run. */
  readonly owner: string;
  readonly run: string;
  readonly fingerprint: string;
}

/** What is recorded of a run's environment. */
export interface Basis {
  readonly settings: string;
  readonly uses: readonly UsedOutput[];
}

/** `given`: CUE paths that flags set, which count more than what is kept. */
export function basisOf(stack: StackRun, given: readonly string[]): Basis & Json {
  const uses = [...stack.settings].flatMap(([input, setting]): (UsedOutput & { readonly [key: string]: Json })[] => {
    if (setting.kind !== "output" || setting.given?.json === undefined || given.includes(input)) return [];
    const { environment = "", run = "", fingerprint = "" } = setting.given;
    return [{ input, from: formatReference(setting), owner: `${setting.stack}/${environment}`, run, fingerprint }];
  });
  return { settings: settingsPrint(stack.settings), uses };
}

/** The same for the same settings. */
export function settingsPrint(settings: ReadonlyMap<string, Setting>): string {
  return `sha256:${createHash("sha256")
    .update(JSON.stringify(formatSettings(settings)))
    .digest("hex")}`;
}

/** What was recorded; undefined for a run of a dagger that did not, or of a config in a directory. */
export function readBasis(provenance: Json): Basis | undefined {
  const { basis } = (provenance ?? {}) as { readonly basis?: unknown };
  return typeof basis === "object" && basis !== null ? (basis as Basis) : undefined;
}
