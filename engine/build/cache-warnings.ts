// Warns of caches that a job does without: each once, however many builds the job consists of.

import type { UpEvent } from "../events.ts";
import type { BuildExtras } from "./connect.ts";

/** To be called with what the runtime hears of caches. */
export function cacheWarnings(onEvent: (event: UpEvent) => void): Required<Pick<BuildExtras, "onMissingCache" | "onCacheFailure">> {
  const told = new Set<string>();
  const warn = (code: string, message: string): void => {
    if (told.has(message)) return;
    told.add(message);
    onEvent({ type: "warning", code, message, detail: ["The run goes on without it"], at: [] });
  };
  return {
    onMissingCache: (dir, why) => warn("cache-import-failed", `No cache is taken from ${dir}: ${why}`),
    onCacheFailure: ({ use, cache, reason }) =>
      use === "import"
        ? warn("cache-import-failed", `No cache is taken from ${cache}: ${reason}`)
        : warn("cache-export-failed", `No cache is left in ${cache}: ${reason}`),
  };
}
