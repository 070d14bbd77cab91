// Who sees a run: whoever remembers it, and whoever only looks on. What a run tells them of itself, beside its events.
import type { Job } from "../compiler/index.ts";
import type { Listing } from "../runtime/session/index.ts";
import type { Config } from "./config/config.ts";
import type { UpResult } from "./events.ts";
import type { Scrubber } from "./secrets/scrubber.ts";

export interface RunWatch {
  /** The same when it is called again. Nothing may run before it resolves; when it rejects, nothing runs at all. */
  begin(): Promise<void>;
  /** Name and version of the daemon that runs the job. */
  daemon(name: string): void;
  /** A pass was compiled; every secret of the job is known to the scrubber by then. */
  job(facts: JobFacts): void;
  /** Files were offered to the daemon. */
  listed(listing: Listing): void;
}

/** Whoever only looks on. */
export interface RunObserver extends Pick<RunWatch, "job" | "listed"> {
  /** Directories, or files, are in place: called at once, before anybody else can have changed what is in them. */
  saved(saved: readonly Pick<UpResult["saved"][number], "path" | "dest">[]): void;
}

export interface JobFacts {
  readonly config: Config;
  /** Of the last pass so far. */
  readonly job: Job;
  /** The name of the run. */
  readonly run: string;
  /** Digest of the Definition. */
  readonly definition: string;
  /** Digests of images that the daemon was asked for, by reference. */
  readonly images: ReadonlyMap<string, string>;
  /** What git refs and addresses stood for, by their identifiers in LLB, as far as the daemon has told. */
  readonly resolved: ReadonlyMap<string, string>;
  readonly scrubber: Scrubber;
}
