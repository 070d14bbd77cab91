// Whoever remembers runs: what a run tells it of itself, beside its events.
import type { Config } from "./config.ts";
import type { Scrubber } from "./secrets/scrubber.ts";

export interface RunWatch {
  /** Nothing may run before it resolves; when it rejects, nothing runs at all. */
  readonly ready: Promise<void>;
  /** Name and version of the daemon that runs the job. */
  daemon(name: string): void;
  /** A pass was compiled; every secret of the job is known to the scrubber by then. */
  job(facts: JobFacts): void;
}

export interface JobFacts {
  readonly config: Config;
  /** Digest of the Definition. */
  readonly definition: string;
  /** Digests of images that the daemon was asked for, by reference. */
  readonly images: ReadonlyMap<string, string>;
  readonly scrubber: Scrubber;
}
