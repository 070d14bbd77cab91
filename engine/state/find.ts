// A value in what an environment gave: that of the config as a whole, that of a component since, or what names an image or a directory.
import { createHash } from "node:crypto";
import { isWithin } from "../../compiler/index.ts";
import { isThere, storeOf } from "../history/place.ts";
import type { Surroundings } from "../request.ts";
import type { Json, Output } from "../store/index.ts";
import { openShared } from "../store/shared.ts";
import { labelsOf, valueAt, withValue } from "./path.ts";

export interface FoundValue {
  readonly value: Json;
  /** The run that gave it. */
  readonly run: string;
}

/** The values of the config's last success, with what its components gave since. */
export function mergedValues(outputs: readonly Output[]): Json {
  const whole = outputs.find(({ component }) => component === "");
  let values: Json = whole?.value ?? {};
  // Values of later runs of a part of the config, or of one that failed elsewhere.
  for (const { component, value, time } of outputs) {
    if (component === "" || (whole !== undefined && time < whole.time) || isPlace(value)) continue;
    values = withValue(values, labelsOf(component), value);
  }
  return values;
}

/** The value at a CUE path; below the path of an image or a saved directory, its `ref`, `digest` or `dest`. */
export function findValue(outputs: readonly Output[], path: string): FoundValue | undefined {
  const given = outputs.filter(({ component }) => component !== "" && isWithin(path, component));
  const place = given.find((one) => isPlace(one.value));
  const inPlace = place === undefined ? undefined : valueAt(place.value, labelsOf(path.slice(place.component.length)));
  if (place !== undefined && inPlace !== undefined) return { value: inPlace, run: place.run };
  const value = valueAt(mergedValues(outputs), labelsOf(path));
  if (value === undefined) return undefined;
  const giver = given
    .filter((one) => !isPlace(one.value))
    .reduce<Output | undefined>((newest, one) => (newest === undefined || one.time >= newest.time ? one : newest), undefined);
  const whole = outputs.find(({ component }) => component === "");
  return { value, run: (giver ?? whole)?.run ?? "" };
}

/** Of images and directories, which are no values of the config. */
function isPlace(value: Json): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value).join();
  return keys === "dest" || keys === "ref,digest";
}

/** The same for the same value, whatever the order of its fields. */
export function fingerprintOf(value: Json): string {
  return `sha256:${createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")}`;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, one]) => [name, sorted(one)]));
}

export interface Place {
  readonly stack: string;
  readonly environment: string;
}

export const keyOf = ({ stack, environment }: Place): string => `${stack}/${environment}`;

/** What environments gave last, by `STACK/ENV`; of those that never ran, nothing. The store is opened once, and only where there is one. */
export async function readOutputs(
  root: string,
  { store: chosen }: Pick<Surroundings, "store">,
  places: readonly Place[],
): Promise<ReadonlyMap<string, readonly Output[]>> {
  const place = storeOf(root, chosen);
  if (places.length === 0 || !isThere(place)) return new Map();
  const store = await openShared({ ...place, now: Date.now });
  try {
    const found = new Map<string, readonly Output[]>();
    for (const one of places) found.set(keyOf(one), await store.outputs.list(one.stack, one.environment));
    return found;
  } finally {
    await store.close();
  }
}

/** Forgets what environments gave that are deleted: others of the same slug begin with nothing. */
export async function clearOutputs(root: string, { store: chosen }: Pick<Surroundings, "store">, places: readonly Place[]): Promise<void> {
  const place = storeOf(root, chosen);
  if (!isThere(place)) return;
  const store = await openShared({ ...place, now: Date.now });
  try {
    for (const { stack, environment } of places) await store.outputs.clear(stack, environment);
  } finally {
    await store.close();
  }
}
