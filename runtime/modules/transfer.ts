// Requests to registries: every wait bounded, tried again when a registry is busy or a connection breaks.
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";
import { httpRequest } from "../http.ts";
import { moduleError } from "./failure.ts";
import type { Location } from "./registries.ts";

/** How long a registry may say nothing, in milliseconds. */
const defaultPatience = 30_000;
/** The longest that a busy registry may ask us to wait, in milliseconds. */
const maxPause = 60_000;
/** Shorter waits, in milliseconds, nobody needs to know of. */
const worthTelling = 1_000;
/** How often one thing is asked for. */
const maxTries = 5;

const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const broken: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED", "EAI_AGAIN"]);

export interface TransferOptions {
  readonly env: Environment;
  /** Milliseconds without a byte after which a request is given up. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told when a busy registry is waited for; of several requests that wait for one registry, once. */
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
}

/** A registry that is busy, and is asked again. */
export interface RegistryWait {
  readonly host: string;
  /** The module that is waited for. */
  readonly what: string;
  /** Of HTTP, e.g. 429. */
  readonly status: number;
  /** Milliseconds until then. */
  readonly pause: number;
}

export interface Wanted {
  readonly location: Location;
  /** Path and query. */
  readonly url: string;
  /** For messages: the module. */
  readonly what: string;
  /** Asked anew for each try: a download goes on where it broke off. */
  headers(): Readonly<Record<string, string>>;
}

export interface Arriving {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** To be called when something has arrived. */
  alive(): void;
}

/** The connection ended too early: it is worth another try. */
export class BrokenOff extends Error {}

export class Transfers {
  readonly #options: TransferOptions;
  /** Registries that were given up, with the reason: others need not wait for them once more. */
  readonly #down = new Map<string, string>();
  /** By host, the end of the wait that was told last; milliseconds since 1970. */
  readonly #told = new Map<string, number>();

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Aborts with the run, or when a registry says nothing for too long. */
  signal(): AbortSignal {
    const own = AbortSignal.timeout(this.#options.patience ?? defaultPatience);
    return this.#options.signal === undefined ? own : AbortSignal.any([own, this.#options.signal]);
  }

  /** Gives what `read` makes of the answer. Throws UserError (3) `module-registry`, and what `read` throws as a UserError. */
  async ask<T>(wanted: Wanted, read: (answer: Arriving) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const known = this.#down.get(wanted.location.host);
      if (known !== undefined) throw this.unreachable(wanted, known);
      const done = await this.#try(wanted, read, tries);
      if ("value" in done) return done.value;
      await sleep(done.pause, undefined, { signal: this.#options.signal });
    }
  }

  unreachable({ location, what }: Pick<Wanted, "location" | "what">, why: string, cause?: unknown): UserError {
    return moduleError(
      3,
      "module-registry",
      `Cannot get ${what} from the registry ${location.host}: ${why}`,
      "check the network and CUE_REGISTRY; modules that were fetched before, or vendored, need no registry",
      cause,
    );
  }

  async #try<T>(
    wanted: Wanted,
    read: (answer: Arriving) => Promise<T>,
    tries: number,
  ): Promise<{ readonly value: T } | { readonly pause: number }> {
    const { env, patience = defaultPatience, signal } = this.#options;
    const quiet = new AbortController();
    const timer = setTimeout(() => quiet.abort(), patience);
    const { location, url } = wanted;
    try {
      const either = signal === undefined ? quiet.signal : AbortSignal.any([quiet.signal, signal]);
      const target = new URL(`${location.insecure ? "http" : "https"}://${location.host}${url}`);
      const answer = await httpRequest(target, { headers: wanted.headers(), signal: either }, env);
      if (!busy.has(answer.status)) return { value: await read({ ...answer, alive: () => void timer.refresh() }) };
      answer.body.destroy();
      return { pause: this.#pause(wanted, answer.status, answer.headers["retry-after"], tries) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      if (!quiet.signal.aborted && tries < maxTries && isBroken(error)) return { pause: 100 * 2 ** tries };
      throw this.#giveUp(wanted, quiet.signal.aborted ? `it says nothing for ${patience / 1000} s` : reasonOf(error), error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Milliseconds until the next try. */
  #pause(wanted: Wanted, status: number, retryAfter: string | undefined, tries: number): number {
    const pause = readRetryAfter(retryAfter, Date.now()) ?? 500 * 2 ** tries;
    if (pause > maxPause)
      throw this.#giveUp(wanted, `it answers with status ${status}, and asks to come back in ${Math.ceil(pause / 1000)} s`);
    if (tries === maxTries) throw this.#giveUp(wanted, `it answers with status ${status}, ${tries} times in a row`);
    this.#tell({ host: wanted.location.host, what: wanted.what, status, pause });
    return pause;
  }

  #tell(wait: RegistryWait): void {
    const end = Date.now() + wait.pause;
    if (wait.pause < worthTelling || end < (this.#told.get(wait.host) ?? 0) + worthTelling) return;
    this.#told.set(wait.host, end);
    this.#options.onWait?.(wait);
  }

  #giveUp(wanted: Wanted, why: string, cause?: unknown): UserError {
    this.#down.set(wanted.location.host, why);
    return this.unreachable(wanted, why, cause);
  }
}

/** Milliseconds from `now` until a time that a server names, in seconds or as a date; undefined when it names none. */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  return Number.isFinite(time) ? Math.max(0, time - now) : undefined;
}

function isBroken(error: unknown): boolean {
  return error instanceof BrokenOff || (error instanceof Error && "code" in error && broken.has(String(error.code)));
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error instanceof Error ? error.message : String(error);
}
