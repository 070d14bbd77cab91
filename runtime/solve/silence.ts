// Watches the transfers of caches, for which the daemon itself would wait for ever: a store that says nothing any more ends the build.
import { UserError } from "../../compiler/diagnostic.ts";
import type { CacheOptions } from "./cache.ts";
import { type CacheStep, cacheStep } from "./cache-steps.ts";
import type { StatusUpdate } from "./status.ts";

/** Milliseconds without a sign of life. A large blob on a slow line is one silence, so sending has more time than asking. */
export interface Patience {
  readonly importing: number;
  readonly exporting: number;
}

interface Open {
  readonly step: CacheStep;
  readonly limit: number;
  seen: number;
}

/** Of this store the daemon asks the container before it takes the build; it is no step yet. */
const askedFirst = "exporting cache to Azure Blob Storage";
const before = "";

export class SilenceWatch {
  readonly #patience: Patience;
  readonly #cache: CacheOptions;
  /** By the digest of the step. */
  readonly #open = new Map<string, Open>();
  readonly #timer: NodeJS.Timeout;

  /** Calls `onSilent` once, with the error that ends the build. */
  constructor(patience: Patience, cache: CacheOptions, onSilent: (error: UserError) => void) {
    this.#patience = patience;
    this.#cache = cache;
    const first = cache.exports?.some(({ type }) => type === "azblob") === true ? cacheStep(askedFirst, cache) : undefined;
    if (first !== undefined) this.#open.set(before, { step: first, limit: patience.importing, seen: Date.now() });
    this.#timer = setInterval(() => {
      const now = Date.now();
      const silent = [...this.#open.values()].find(({ seen, limit }) => now - seen > limit);
      if (silent === undefined) return;
      this.stop();
      onSilent(silenceError(silent));
    }, 500);
    this.#timer.unref();
  }

  /** The daemon has taken the build. */
  taken(): void {
    this.#open.delete(before);
  }

  see({ vertexes, statuses }: StatusUpdate): void {
    const seen = Date.now();
    for (const { digest, name, started, completed } of vertexes) {
      const step = cacheStep(name, this.#cache);
      if (step === undefined) continue;
      const limit = step.use === "import" ? this.#patience.importing : this.#patience.exporting;
      if (started !== undefined && completed === undefined) this.#open.set(digest, { step, limit, seen });
      else this.#open.delete(digest);
    }
    for (const { vertex } of statuses) {
      const open = this.#open.get(vertex);
      if (open !== undefined) open.seen = seen;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function silenceError({ step: { use, cache }, limit }: Open): UserError {
  const seconds = Math.max(1, Math.round(limit / 1000));
  const takes = use === "import";
  return new UserError(3, [
    {
      code: "cache-silent",
      message: `Cache cannot be ${takes ? "taken from" : "left in"} ${cache}: its store gives no answer within ${seconds} s`,
      at: [],
      hint: `Look whether the daemon reaches it, or run without this ${takes ? "--cache-from" : "--cache-to"}`,
    },
  ]);
}
