// Fingerprints: what a component is made from as short texts, by name. Equal fingerprints mean that nothing has changed.
import { hash } from "node:crypto";
import type { OpData } from "../../compiler/index.ts";
import type { ComponentFacts } from "./facts.ts";

/** By component, of its ops. */
export function opsDigests(components: readonly ComponentFacts[]): Map<string, string> {
  return new Map(components.map((one) => [one.path, `sha256:${hash("sha256", JSON.stringify(bare(one.ops)))}`]));
}

/** By component: digests of its ops and of the components that it uses, and its sources as they are. */
export function fingerprintsOf(
  components: readonly ComponentFacts[],
  ops: ReadonlyMap<string, string> = opsDigests(components),
): Map<string, Readonly<Record<string, string>>> {
  const whole = new Map<string, string>();
  const found = new Map<string, Record<string, string>>();
  for (const one of usedFirst(components)) {
    const uses = one.uses.map((path): [string, string] => [`component ${path}`, whole.get(path) ?? ""]);
    const parts = { ops: ops.get(one.path) ?? "", ...Object.fromEntries(uses), ...one.sources };
    found.set(one.path, parts);
    whole.set(one.path, `sha256:${hash("sha256", JSON.stringify(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))))}`);
  }
  return found;
}

/** Everything from outside that components are made from, also by way of others. */
export function allSources(paths: readonly string[], components: ReadonlyMap<string, ComponentFacts>): Record<string, string> {
  const sources: Record<string, string> = {};
  const open = [...paths];
  const seen = new Set(open);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const one = components.get(next);
    if (one === undefined) continue;
    Object.assign(sources, one.sources);
    for (const used of one.uses) {
      if (seen.has(used)) continue;
      seen.add(used);
      open.push(used);
    }
  }
  return Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Chains of components may be thousands long: a worklist, not recursion. */
function usedFirst(components: readonly ComponentFacts[]): ComponentFacts[] {
  const byPath = new Map(components.map((one) => [one.path, one]));
  const done = new Set<string>();
  const order: ComponentFacts[] = [];
  const open = components.map((one) => ({ one, entered: false })).reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { one, entered } = next;
    if (done.has(one.path) && !entered) continue;
    if (entered) {
      order.push(one);
      continue;
    }
    done.add(one.path);
    open.push({ one, entered: true });
    for (const used of one.uses) {
      const found = byPath.get(used);
      if (found !== undefined && !done.has(used)) open.push({ one: found, entered: false });
    }
  }
  return order;
}

/** Ops without the places of their fields: a line that moves changes nothing. */
export function bare(ops: readonly OpData[]): unknown {
  return ops.map(withoutPlaces);
}

export function withoutPlaces(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutPlaces);
  const isOp = typeof (value as { do?: unknown }).do === "string";
  const kept = isOp ? Object.entries(value).filter(([name]) => name !== "at" && name !== "places") : Object.entries(value);
  for (const entry of kept) entry[1] = withoutPlaces(entry[1]);
  return Object.fromEntries(kept);
}
