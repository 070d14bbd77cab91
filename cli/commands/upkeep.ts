// dagger du, prune and workers: look at the daemon that runs use, and make room on it.
import type { Context, DaemonFlags, OutputFormat } from "../context.ts";
import { daemonOf, surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { bytes, plural } from "../output/units.ts";

interface UpkeepFlags extends DaemonFlags {
  readonly output: OutputFormat;
  readonly filter?: readonly string[];
}

export interface PruneFlags extends UpkeepFlags {
  readonly all?: boolean;
  readonly keepStorage?: string;
  readonly keepDuration?: string;
}

export async function workersCommand(context: Context, flags: UpkeepFlags): Promise<void> {
  const { io, signal } = context;
  const { listWorkers } = await import("../../engine/index.ts");
  const workers = await listWorkers({ ...surroundings(context), ...daemonOf(flags), signal });
  if (flags.output === "json") {
    io.stdout.write(formatJson(workers));
    return;
  }
  const rows = workers.map(({ id, version, platforms, labels }) => [
    id,
    version === "" ? "-" : version,
    labels["org.mobyproject.buildkit.worker.executor"] ?? "-",
    platforms.map(({ os, architecture, variant }) => [os, architecture, variant].filter((part) => part !== "").join("/")).join(","),
  ]);
  io.stdout.write(formatTable([["ID", "VERSION", "EXECUTOR", "PLATFORMS"], ...rows]));
}

export async function duCommand(context: Context, flags: UpkeepFlags): Promise<void> {
  const { io, signal } = context;
  const { diskUsage } = await import("../../engine/index.ts");
  const records = await diskUsage({ ...surroundings(context), ...daemonOf(flags), filters: flags.filter ?? [], signal });
  if (flags.output === "json") {
    io.stdout.write(formatJson(records));
    return;
  }
  io.stdout.write(formatTable([header, ...records.map(row)]));
  const sum = (of: typeof records): string => bytes(of.reduce((total, record) => total + record.bytes, 0));
  const totals = [
    ["Reclaimable", sum(records.filter(({ inUse }) => !inUse))],
    ["Total", sum(records)],
  ];
  io.stdout.write(`\n${formatTable(totals)}`);
}

/** Removed records as they go, so that a long prune shows that it works. */
export async function pruneCommand(context: Context, flags: PruneFlags): Promise<void> {
  const { io, signal } = context;
  const options = {
    all: flags.all ?? false,
    filters: flags.filter ?? [],
    ...(flags.keepStorage === undefined ? {} : { keepBytes: parseSize(flags.keepStorage) }),
    ...(flags.keepDuration === undefined ? {} : { keepFor: parseDuration(flags.keepDuration) }),
  };
  const { prune } = await import("../../engine/index.ts");
  const text = flags.output === "text";
  const removed = await prune({
    ...surroundings(context),
    ...daemonOf(flags),
    ...options,
    signal,
    onRecord: (record) => {
      // The daemon tells no more of what it removes.
      if (text) io.stdout.write(`${record.id}  ${bytes(record.bytes)}\n`);
    },
  });
  if (!text) {
    io.stdout.write(formatJson(removed));
    return;
  }
  const total = removed.reduce((sum, record) => sum + record.bytes, 0);
  io.stdout.write(removed.length === 0 ? "Nothing to remove\n" : `Removed ${plural(removed.length, "record")}, ${bytes(total)}\n`);
}

const header = ["ID", "SIZE", "IN USE", "TYPE", "LAST USED (UTC)", "DESCRIPTION"];

interface Row {
  readonly id: string;
  readonly bytes: number;
  readonly inUse: boolean;
  readonly kind: string;
  readonly lastUsed?: number;
  readonly description: string;
}

function row({ id, bytes: size, inUse, kind, lastUsed, description }: Row): string[] {
  const used = lastUsed === undefined ? "never" : new Date(lastUsed).toISOString().slice(0, 16).replace("T", " ");
  const line = description.replace(/\s+/g, " ");
  return [id, bytes(size), inUse ? "yes" : "no", kind, used, line.length > 60 ? `${line.slice(0, 59)}…` : line];
}

const sizes: Readonly<Record<string, number>> = {
  ...{ "": 1e6, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, k: 1e3, m: 1e6, g: 1e9, t: 1e12 },
  ...{ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

/** `10GB`, `512MiB`; a bare number counts megabytes, as buildctl's does. */
function parseSize(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = sizes[unit.toLowerCase()];
  if (number === "" || factor === undefined) throw badValue("--keep-storage", text, "a size", "10GB");
  return Math.round(Number(number) * factor);
}

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `48h`, `1h30m`, `7d`, in milliseconds. */
function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) throw badValue("--keep-duration", text, "a duration", "48h");
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (durations[unit as string] as number), 0);
}

function badValue(flag: string, text: string, what: string, example: string): Error {
  return new UsageError({
    code: "bad-flag-value",
    message: `Cannot read ${flag} ${JSON.stringify(text)}: expected ${what}`,
    at: [],
    hint: `Write for example: ${flag} ${example}`,
  });
}
