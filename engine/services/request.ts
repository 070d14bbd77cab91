// What whoever starts a service has to say.
import type { HostService, HostStep } from "../../compiler/index.ts";
import type { StackRun, Surroundings } from "../request.ts";

export interface StartRequest {
  readonly step: HostStep;
  readonly service: HostService;
  /** Root of the workspace. */
  readonly root: string | undefined;
  readonly config: string;
  /** The directory with its filesystem, below which it starts in `dir`. It is moved. */
  readonly files: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables that hold secrets. */
  readonly secretNames: readonly string[];
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Whose container engine runs it. */
  readonly surroundings: Pick<Surroundings, "cwd" | "env">;
  readonly stack?: StackRun | undefined;
  /** Where it runs in a container. */
  readonly image?: ServiceImage | undefined;
}

/** The image of a service, as an archive of this machine. */
export interface ServiceImage {
  readonly ref: string;
  readonly archive: string;
  readonly digest: string;
}
