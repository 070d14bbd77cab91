// Gradual resolution, as the first public dialect knows it: what misses a value is left undone, with a warning, and the rest is computed.
import type { Deferred, Job, Value } from "../../compiler/index.ts";
import type { Fill } from "../../runtime/cue/index.ts";
import type { UpEvent } from "../events.ts";

/** All that a finished job left undone: what nothing gives, and what still waits when no pass brings anything new. */
export function undoneOf(job: Job): readonly Deferred[] {
  return [...job.undone, ...job.deferred];
}

/** One warning for each: what is left undone, which value it misses, and where that is declared. */
export function warnUndone(undone: readonly Deferred[]): readonly UpEvent[] {
  return undone.map(({ path, missing, at }) => {
    const values = missing.map((one) => `${one.path}${/^_?$/.test(one.type) ? "" : ` (${one.type})`}`);
    const verb = values.length === 1 ? "has no value" : "have no value";
    const what = path === "" ? "The config" : path;
    return {
      type: "warning",
      message: `${what} is left undone: ${values.length === 0 ? "CUE cannot complete it" : `${values.join(", ")} ${verb}`}`,
      detail: [],
      at: [...missing.flatMap((one) => one.at.slice(0, 2)), ...at.slice(0, 1)],
    } as const;
  });
}

/**
 * Secrets and sockets of the dialect are structs with an `id`. Where a flag (`--secret PATH=…`) names such a struct by its path, and the
 * config does not say its id, the path is the id.
 */
export function nameReferences(root: Value, flags: readonly string[], kind: "--secret" | "--ssh"): Fill[] {
  return flags.flatMap((flag) => {
    const [path = ""] = flag.split("=");
    const field = path.split(".").reduce<Value | undefined>((value, label) => value?.fields.get(label)?.value, root);
    const open = field?.fields.get("id")?.value.kind === "incomplete";
    return field !== root && open ? [{ path: `${path}.id`, json: JSON.stringify(path), origin: `${kind} ${path}` }] : [];
  });
}
