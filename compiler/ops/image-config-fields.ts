// Field types of `image-config`: ports, and health checks with durations as people write them.
import { concrete, optional, readRecord, wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { integer, listOf, string } from "./types.ts";

/** A port as OCI writes it; `80` is `80/tcp`. */
export const port: FieldType<string> = {
  words: `a port such as 80 or "53/udp"`,
  read: (field, context) => {
    const { scalar } = concrete(field, context) ?? {};
    if (scalar === undefined) return field.value.kind === "incomplete" ? undefined : wrongType(field, port.words, context);
    const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(String(scalar));
    const number = Number(match?.[1] ?? 0);
    if (match === null || number < 1 || number > 65535) return wrongType(field, port.words, context);
    return `${number}/${match[2] ?? "tcp"}`;
  },
};

/** A health check as OCI image configs have it: durations in nanoseconds. */
export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600e9, m: 60e9, s: 1e9, ms: 1e6 };

/** `1m30s` in nanoseconds. */
const duration: FieldType<number> = {
  words: `a duration such as "30s" or "1m30s"`,
  read: (field, context) => {
    const text = string.read(field, context);
    if (text === undefined) return undefined;
    if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return wrongType(field, duration.words, context);
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
    return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? "s"] ?? 0), 0));
  },
};

interface Given {
  readonly test: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

const fields = {
  interval: optional(duration),
  timeout: optional(duration),
  startPeriod: optional(duration),
  startInterval: optional(duration),
  retries: optional(integer(0, 0x7fff_ffff)),
};

export const healthcheck: FieldType<Healthcheck> = {
  words: `{test: […]}, or "none"`,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.scalar === "none") return { Test: ["NONE"] };
    if (value.kind !== "struct") return wrongType(field, healthcheck.words, context);
    const specs = { test: { type: listOf(string), required: true }, ...fields };
    const given = readRecord("healthcheck", specs, field, context) as Given | undefined;
    if (given === undefined) return undefined;
    if (given.test.length === 0) return wrongType(field, `a test with a command, e.g. test: ["curl", "-f", "http://localhost"]`, context);
    const { test, interval, timeout, startPeriod, startInterval, retries } = given;
    return {
      Test: ["CMD", ...test],
      ...(interval === undefined ? {} : { Interval: interval }),
      ...(timeout === undefined ? {} : { Timeout: timeout }),
      ...(startPeriod === undefined ? {} : { StartPeriod: startPeriod }),
      ...(startInterval === undefined ? {} : { StartInterval: startInterval }),
      ...(retries === undefined ? {} : { Retries: retries }),
    };
  },
};
