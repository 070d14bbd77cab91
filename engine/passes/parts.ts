// What the passes of a run are made with, and what they end with.
import type { Job, Position, UserError } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import type { Offer, OpenBuild } from "../build/connect.ts";
import type { DoneImage, ImageExports } from "../build/exports.ts";
import type { StepTracker } from "../build/steps.ts";
import type { Config } from "../config/config.ts";
import type { Pins } from "../lock/pins.ts";
import type { RunWatch } from "../observers.ts";
import type { WorldFacts } from "../plan/index.ts";
import type { UpRequest } from "../request.ts";
import type { ReadSecret } from "../secrets/provider.ts";
import type { Scrubber } from "../secrets/scrubber.ts";
import type { SecretSource } from "../secrets/sources.ts";
import type { ErrorShell } from "../shell/error-shell.ts";

export interface Done {
  readonly job: Job;
  readonly evaluation: Evaluation;
  readonly computed: Readonly<Record<string, unknown>>;
  readonly passes: readonly Pass[];
  readonly images: readonly DoneImage[];
  /** Where the run kept going. */
  readonly failures: readonly UserError[];
  /** Components that failed, or need what did; where the run kept going. */
  readonly failed: ReadonlySet<string>;
}

/** What a pass waited for: CUE paths of values, and of components whose processes had to run on this machine. */
export interface Pass {
  readonly because: readonly string[];
  readonly hosts?: readonly string[];
}

export interface RunParts {
  readonly request: UpRequest;
  readonly config: Config;
  readonly offer: Offer;
  readonly opening: Promise<OpenBuild>;
  readonly steps: StepTracker;
  readonly secrets: ReadonlyMap<string, SecretSource>;
  readonly readSecret: ReadSecret;
  /** Knows the secrets that were read. */
  readonly scrubber: Scrubber;
  /** Throws UserError (2) when one that was given cannot be used. */
  readonly checkSecrets: () => Promise<void>;
  readonly exports: ImageExports;
  readonly errorShell: ErrorShell;
  /** What dagger.lock says. */
  readonly pins: Pins;
  /** Throws UserError (2) when the first pass is not what was planned. */
  readonly check?: ((facts: WorldFacts) => void) | undefined;
  /** Called once, when the first pass is compiled and nothing of it runs. When it rejects, nothing does. */
  readonly begun?: ((job: Job, evaluation: () => Evaluation) => Promise<void>) | undefined;
  /** Whoever remembers the run. */
  readonly watch?: RunWatch | undefined;
  /** Where the config asks for a secret, by id; filled in as jobs are compiled. */
  readonly secretPlaces: Map<string, readonly Position[]>;
  /** Ids of the agents and sockets that steps may use. */
  readonly ssh: ReadonlySet<string>;
}
