// Times of files, as `2024-05-06T07:08:09Z` or seconds since 1970.
import { concrete, wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";

/** Seconds since 1970. */
export const timestamp: FieldType<number> = {
  words: `a time such as "2024-05-06T07:08:09Z", or seconds since 1970`,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    const { scalar } = value;
    const seconds = typeof scalar === "string" ? parse(scalar) : scalar;
    return typeof seconds === "number" && Number.isInteger(seconds) && seconds >= 0 && seconds < 2 ** 33
      ? seconds
      : wrongType(field, timestamp.words, context);
  },
};

function parse(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) / 1000 : Number.NaN;
}

/** `{ timestamp }` of a file action, in nanoseconds; nothing when the daemon's usual time will do. */
export function stamped(seconds: number | undefined): { readonly timestamp?: bigint } {
  return seconds === undefined ? {} : { timestamp: BigInt(seconds) * 1_000_000_000n };
}
