// A Definition as plain data that people and tools can read: ops by number, enums by name, no zero values.
import {
  CacheSharingOpt,
  MountContentCache,
  MountType,
  NetMode,
  SecurityMode,
  type Source,
} from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Definition } from "../job.ts";
import { type DecodedOp, decodeDefinition } from "./definition.ts";
import { formatPlatform } from "./platform.ts";
import { sortedEntries } from "./wire.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One op; numbers count from 1 in build order. */
export interface OpDescription {
  readonly number: number;
  readonly digest: string;
  /** Kind of the op as in pb.Op; `result` for the terminal one. */
  readonly kind: string;
  readonly name: string;
  readonly component: string;
  /** `#2` is the first output of op 2, `#2:1` its second. */
  readonly inputs: readonly string[];
  /** `os/architecture[/variant]`; "" for ops without. */
  readonly platform: string;
  /** `file:line:column` of the lines that made it. */
  readonly at: readonly string[];
  readonly caps: readonly string[];
  /** All else of pb.OpMetadata. */
  readonly metadata: Json;
  /** Worker filters. */
  readonly constraints: readonly string[];
  /** The fields of the op itself. */
  readonly fields: Json;
}

/** Describes the ops of a Definition, in build order; none for scratch. Throws when `encoded` is no Definition. */
export function describeDefinition({ encoded }: Pick<Definition, "encoded">): OpDescription[] {
  const { ops, source } = decodeDefinition(encoded);
  const numbers = new Map(ops.map(({ digest }, i) => [digest, i + 1]));
  return ops.map((op, i) => describeOp(op, i + 1, numbers, source));
}

function describeOp(
  { digest, op, metadata }: DecodedOp,
  number: number,
  numbers: Map<string, number>,
  source: Source | undefined,
): OpDescription {
  const { "llb.customname": name = "", ...description } = metadata?.description ?? {};
  const { progress_group: group, caps = {}, ...rest } = metadata ?? {};
  return {
    number,
    digest,
    kind: op.op?.$case ?? "result",
    name,
    component: group?.id ?? "",
    inputs: op.inputs.map((input) => inputName(numbers.get(input.digest) ?? input.digest, input.index)),
    platform:
      op.platform === undefined
        ? ""
        : formatPlatform({ os: op.platform.OS, architecture: op.platform.Architecture, variant: op.platform.Variant }),
    at: locations(digest, source),
    caps: sortedEntries(caps).map(([cap]) => cap),
    metadata: toJson("metadata", { ...rest, description }) ?? {},
    constraints: op.constraints?.filter ?? [],
    fields: (op.op && toJson(op.op.$case, op.op.value)) ?? {},
  };
}

function inputName(op: number | string, index: bigint): string {
  return `#${op}${index === 0n ? "" : `:${index}`}`;
}

function locations(digest: string, source: Source | undefined): string[] {
  const list = source?.locations[digest]?.locations ?? [];
  return list.flatMap(({ sourceIndex, ranges }) =>
    ranges.map(({ start }) => `${source?.infos[sourceIndex]?.filename ?? ""}:${start?.line ?? 0}:${start?.character ?? 0}`),
  );
}

const ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  network: NetMode,
  security: SecurityMode,
  mountType: MountType,
  sharing: CacheSharingOpt,
  contentCache: MountContentCache,
};

/** Values that say "nothing special" without being zero. */
const DEFAULTS: Readonly<Record<string, bigint | number>> = { timestamp: -1n, secondaryInput: -1n, mode: -1 };

/** A protobuf field as data; undefined when it says nothing. 64-bit numbers are positions, sizes and limits: there 0 says something. */
function toJson(key: string, value: unknown): Json | undefined {
  if (value === undefined || value === "" || value === false || value === 0 || value === DEFAULTS[key]) return undefined;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return numberToJson(key, value);
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : bytesToJson(value);
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item: unknown) => toJson("", item) ?? zeroItem(item));
  if (typeof value !== "object" || value === null) return undefined;
  if (MAPS.has(key)) return mapToJson(value);
  // Here even false says something.
  if (key === "export_cache") return "Value" in value && value.Value === true;
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => fieldToJson(name, field)));
}

/** In a list also an element without content counts. */
function zeroItem(item: unknown): Json {
  return typeof item === "string" || typeof item === "number" || typeof item === "boolean" ? item : {};
}

/** Maps, whose values are shown even when empty and whose order is not that of a message's fields. */
const MAPS: ReadonlySet<string> = new Set(["attrs", "description"]);

function mapToJson(map: object): Json | undefined {
  const entries = sortedEntries<unknown>({ ...map });
  return entries.length === 0 ? undefined : Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** A oneof is shown as its member, also when that is zero, as the id of root. */
function fieldToJson(name: string, field: unknown): [string, Json][] {
  if (typeof field === "object" && field !== null && "$case" in field && "value" in field) {
    return [[String(field.$case), toJson("", field.value) ?? (typeof field.value === "number" ? field.value : {})]];
  }
  const json = toJson(name, field);
  return json === undefined ? [] : [[name, json]];
}

function numberToJson(key: string, value: number): Json {
  if (key === "mode") return `0${value.toString(8)}`;
  const names = Object.hasOwn(ENUMS, key) ? Object.entries(ENUMS[key]!) : [];
  return names.find(([, number]) => number === value)?.[0] ?? value;
}

/** Text as it is, other bytes as base64. */
function bytesToJson(bytes: Uint8Array): Json {
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : { base64: Buffer.from(bytes).toString("base64") };
}
