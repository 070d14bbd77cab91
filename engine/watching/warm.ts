// The config of one run after the other: as long as nothing of it has changed, nothing is evaluated again, and CUE stays ready for values.
import type { Observation } from "../../runtime/cue/index.ts";
import { type Config, type ConfigRequest, loadConfig } from "../config/config.ts";

/** Runs whose values CUE takes before its memory, which never shrinks, is given back. */
const runsBeforeRelease = 20;

export class WarmConfig {
  readonly #onSeen: (seen: readonly Observation[]) => void;
  readonly #isSame: () => boolean;
  #kept: Config | undefined;
  #mayKeep: (text: string) => boolean = () => false;
  #runs = 0;

  /** `onSeen` is told what of the disk decides what the config is, `isSame` says whether that, and what it is given, is as it was then. */
  constructor(onSeen: (seen: readonly Observation[]) => void, isSame: () => boolean) {
    this.#onSeen = onSeen;
    this.#isSame = isSame;
  }

  /** Whether the next run gets the config of the one before. */
  get isKept(): boolean {
    return this.#kept !== undefined && this.#isSame();
  }

  /** In place of `loadConfig`. */
  readonly load = async (request: ConfigRequest): Promise<Config> => {
    this.#mayKeep = request.mayKeep ?? (() => true);
    if (this.isKept && this.#kept !== undefined) {
      if (++this.#runs % runsBeforeRelease === 0) await this.#kept.release();
      return shared(this.#kept);
    }
    this.close();
    const config = await this.#read(request);
    return this.#kept === config ? shared(config) : config;
  };

  close(): void {
    this.#kept?.close();
    this.#kept = undefined;
  }

  async #read(request: ConfigRequest): Promise<Config> {
    const ending = new AbortController();
    const { signal } = request;
    const abort = (): void => ending.abort(signal?.reason);
    // A later run is not over when this one is.
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    try {
      const mayKeep = (text: string): boolean => this.#mayKeep(text);
      const config = await loadConfig({ ...request, signal: ending.signal, mayKeep, onSeen: this.#onSeen });
      if (ending.signal.aborted || dependsOnMore(config)) return config;
      this.#kept = config;
      return config;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** What a run does to its config at the end is done when nobody needs it any more. */
function shared(config: Config): Config {
  return { ...config, release: async () => undefined, close: () => undefined };
}

/** What earlier runs gave, and connections of the workspace, are no files of the config. */
function dependsOnMore({ source }: Config): boolean {
  return source.packages.some(
    ({ importPath, own, files }) =>
      importPath === "cuellb.dev/connector" || (own && files.some(({ text }) => /@dagger\(\s*previous\b/.test(text))),
  );
}
