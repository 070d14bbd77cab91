// Watches the transfers of caches, for which the daemon itself would wait for ever: a store that says nothing any more ends the build.
import { UserError } from "../../compiler/diagnostic.ts";
import type { StatusUpdate } from "./status.ts";

/** Milliseconds without a sign of life. A large blob on a slow line is one silence, so sending has more time than asking. */
export interface Patience {
  readonly importing: number;
  readonly exporting: number;
}

/** As the daemon calls the steps that talk to caches elsewhere. */
const importing = "importing cache manifest from ";
const exporting = "exporting cache to ";

interface Open {
  readonly name: string;
  readonly limit: number;
  seen: number;
}

export class SilenceWatch {
  readonly #patience: Patience;
  readonly #open = new Map<string, Open>();
  readonly #timer: NodeJS.Timeout;

  /** Calls `onSilent` once, with the error that ends the build. */
  constructor(patience: Patience, onSilent: (error: UserError) => void) {
    this.#patience = patience;
    this.#timer = setInterval(() => {
      const now = Date.now();
      const silent = [...this.#open.values()].find(({ seen, limit }) => now - seen > limit);
      if (silent === undefined) return;
      this.stop();
      onSilent(silenceError(silent));
    }, 500);
    this.#timer.unref();
  }

  see({ vertexes, statuses }: StatusUpdate): void {
    const seen = Date.now();
    for (const { digest, name, started, completed } of vertexes) {
      const limit = this.#limitOf(name);
      if (limit === undefined) continue;
      if (started !== undefined && completed === undefined) this.#open.set(digest, { name, limit, seen });
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

  #limitOf(name: string): number | undefined {
    if (name.startsWith(importing)) return this.#patience.importing;
    return name.startsWith(exporting) ? this.#patience.exporting : undefined;
  }
}

function silenceError({ name, limit }: Open): UserError {
  const seconds = Math.max(1, Math.round(limit / 1000));
  const takes = name.startsWith(importing);
  // What follows is a reference for registries; for stores it is a number that the daemon makes of all attributes, also of secret ones.
  const what = takes ? name.slice(importing.length).replace(/:\d+$/, "") : name.slice(exporting.length);
  return new UserError(3, [
    {
      code: "cache-silent",
      message: `The cache ${takes ? "from" : "to"} ${what} cannot be ${takes ? "taken" : "left"}: its store gives no answer within ${seconds} s`,
      at: [],
      hint: `Look whether the daemon reaches it, or run without this ${takes ? "--cache-from" : "--cache-to"}`,
    },
  ]);
}
