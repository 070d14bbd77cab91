// Limits of the control group that an exec runs in.
import type { Resources } from "../graph/vertex.ts";
import { concrete, optional, readRecord, wrongType } from "./fields.ts";
import { given } from "./files.ts";
import { size } from "./mount.ts";
import type { FieldType } from "./spec.ts";
import { integer, string } from "./types.ts";

export interface ResourceLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Bytes of memory and swap together. */
  readonly memorySwap?: number;
  /** Weight against others; 1024 is usual. */
  readonly cpuShares?: number;
  /** Microseconds. */
  readonly cpuPeriod?: number;
  /** Microseconds of CPU in each period. */
  readonly cpuQuota?: number;
  /** As `0-3,5`. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
}

const set: FieldType<string> = {
  words: `numbers such as "0-3,5"`,
  read: (field, context) => {
    const text = string.read(field, context);
    return text === undefined || /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text) ? text : wrongType(field, set.words, context);
  },
};

const whole = integer(1, Number.MAX_SAFE_INTEGER);
const fields = {
  memory: optional(size),
  memorySwap: optional(size),
  cpuShares: optional(whole),
  cpuPeriod: optional(whole),
  cpuQuota: optional(whole),
  cpusetCpus: optional(set),
  cpusetMems: optional(set),
};

export const resources: FieldType<ResourceLimits> = {
  words: `{${Object.keys(fields).join(", ")}}`,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind !== "struct") return wrongType(field, resources.words, context);
    return readRecord("resources", fields, field, context);
  },
};

export function toResources(limits: ResourceLimits): Resources {
  const big = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));
  return {
    ...given("memory", big(limits.memory)),
    ...given("memorySwap", big(limits.memorySwap)),
    ...given("cpuShares", big(limits.cpuShares)),
    ...given("cpuPeriod", big(limits.cpuPeriod)),
    ...given("cpuQuota", big(limits.cpuQuota)),
    ...given("cpusetCpus", limits.cpusetCpus),
    ...given("cpusetMems", limits.cpusetMems),
  };
}
