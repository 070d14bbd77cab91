// Times and sizes as people read them.

/** `0.3s`, `12.4s`, `2m05s`, `1h02m`. */
export function duration(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100));
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.floor(tenths / 10);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
}

/** Seconds since a step began, as log lines carry them: three decimals that shrink as the number grows. */
export function seconds(ms: number): string {
  const value = Math.max(0, ms) / 1000;
  return value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);
}

const units = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal units with at most one digit after the point: `512B`, `3.2MB`. */
export function bytes(count: number): string {
  let value = Math.max(0, count);
  let unit = 0;
  // 999.95 would be shown as 1000.0: it is the next unit's 1.
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${Math.round(value)}B` : `${value.toFixed(1).replace(/\.0$/, "")}${units[unit] ?? ""}`;
}

/** `1 file`, `2 files`; the plural is the singular with an s unless it is given. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
