// Time limits and further tries of an exec, which the helper inside the container sees to.
import { concrete, readRecord, required, standard, wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { integer, string } from "./types.ts";

/** A time as Go writes it, e.g. `1m30s`; never 0. */
export const duration: FieldType<string> = {
  words: `a time such as "30s" or "1h30m"`,
  read: (field, context) => {
    const text = string.read(field, context);
    if (text === undefined) return undefined;
    const isTime = /^(\d{1,9}(\.\d{1,9})?(ms|s|m|h))+$/.test(text) && /[1-9]/.test(text);
    return isTime ? text : wrongType(field, duration.words, context);
  },
};

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A `duration` in milliseconds. */
export function milliseconds(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (MILLISECONDS[unit] ?? 0), 0);
}

export interface Retry {
  /** Tries after the first one. */
  readonly count: number;
  /** Before the first of them; twice as long before each further one. */
  readonly backoff: string;
}

const count = integer(1, 100);
const fields = { count: required(count), backoff: standard(duration, "1s") };

/** A number of tries after the first, or {count, backoff}. */
export const retry: FieldType<Retry> = {
  words: "a number, or {count, backoff}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind === "struct") return readRecord("retry", fields, field, context) as Retry | undefined;
    const tries = count.read(field, context);
    return tries === undefined ? undefined : { count: tries, backoff: "1s" };
  },
};
