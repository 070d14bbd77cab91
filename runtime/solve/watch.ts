// All that is watched while a build runs: whether stores of cache and servers still answer, and which caches failed.
import type { UserError } from "../../compiler/diagnostic.ts";
import type { CacheOptions } from "./cache.ts";
import { type CacheFailure, CacheFailures } from "./cache-steps.ts";
import { SilenceWatch } from "./silence.ts";
import { type Download, StallWatch } from "./stalls.ts";
import type { StatusUpdate } from "./status.ts";

export interface WatchOptions {
  readonly cache?: CacheOptions;
  /** Milliseconds (180,000) that a server or a store of cache may be silent; the daemon itself would wait for ever. */
  readonly patience?: number;
  /** Which vertices take something from the network: one that stands still ends the build. */
  downloads?(digest: string): Download | undefined;
  /** A cache that was not taken, or not left with `ignore-error=true`: the build goes on. */
  onCacheFailure?(failure: CacheFailure): void;
}

export const defaultPatience = 180_000;
/** Where nobody counts the bytes (a blob of an exported cache, git, HTTP), a transfer may take this many times longer than a question. */
const uncountedFactor = 5;

export class BuildWatch {
  readonly caches: CacheFailures;
  readonly #silence: SilenceWatch;
  readonly #stalls: StallWatch;
  #taken = false;

  /** Starts at once. Calls `giveUp` with the error that ends the build. */
  constructor(options: WatchOptions, giveUp: (error: UserError) => void) {
    const { cache = {}, patience = defaultPatience } = options;
    const uncounted = patience * uncountedFactor;
    this.caches = new CacheFailures(cache, (failure) => options.onCacheFailure?.(failure));
    this.#silence = new SilenceWatch({ importing: patience, exporting: uncounted }, cache, giveUp);
    this.#stalls = new StallWatch({ counted: patience, uncounted }, (digest) => options.downloads?.(digest), giveUp);
  }

  /** Whether the daemon has taken the build: before, it has no status and no gateway. */
  get isTaken(): boolean {
    return this.#taken;
  }

  taken(): void {
    this.#taken = true;
    this.#silence.taken();
  }

  see(update: StatusUpdate): void {
    this.taken();
    this.caches.see(update);
    this.#silence.see(update);
    this.#stalls.see(update);
  }

  stop(): void {
    this.#silence.stop();
    this.#stalls.stop();
  }
}
