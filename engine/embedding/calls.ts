// The calls that an engine has under way: each is allowed first, has a signal, and ends when the engine is closed.
import { inputError, UserError } from "../../compiler/index.ts";
import type { CallOptions } from "./requests.ts";

/** What a call is about to do. */
export type Action = "read" | "plan" | "run" | "cancel" | "write" | "secrets.read" | "secrets.write";

export interface Access {
  readonly action: Action;
  /** `STACK/ENV` or `STACK` as the caller named them, `./DIR` of a config, `run/ID`, `module/DIR`, `catalog` or `workspace`. */
  readonly resource: string;
  /** On whose behalf: the `actor` of the call. */
  readonly actor?: string;
}

/** Says whether a call may be made. What it throws, the call rejects with. */
export type Authorize = (access: Access) => boolean | Promise<boolean>;

export class Calls {
  readonly #open = new Map<Promise<unknown>, AbortController>();
  /** Readers in a loop: nobody waits for them, since they may never ask again. */
  readonly #readers = new Set<AbortController>();
  readonly #authorize: Authorize;
  #closed = false;

  constructor(authorize: Authorize = () => true) {
    this.#authorize = authorize;
  }

  /**
   * Does work with a signal that aborts when the caller's does, or when the engine is closed. Rejects with UserError: `engine-closed` (2)
   * when it is closed already, `not-authorized` (2), `interrupted` (130) when the caller's signal was aborted before.
   */
  run<T>(access: Access, options: CallOptions | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    const { signal, actor } = options ?? {};
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal?.reason);
    const done = this.#begin(signal, controller.signal, withActor(access, actor), work).finally(() => {
      // A signal may outlive many calls.
      signal?.removeEventListener("abort", abort);
      this.#open.delete(done);
    });
    signal?.addEventListener("abort", abort, { once: true });
    this.#open.set(done, controller);
    return done;
  }

  /** Likewise for what is read in a loop, which begins with its first round. */
  async *iterate<T>(
    access: Access,
    options: CallOptions | undefined,
    start: (signal: AbortSignal) => AsyncIterable<T> | Promise<AsyncIterable<T>>,
  ): AsyncGenerator<T, undefined> {
    if (this.#closed) throw closed();
    const { signal, actor } = options ?? {};
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#readers.add(controller);
    try {
      yield* await this.#begin(signal, controller.signal, withActor(access, actor), async (own) => start(own));
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#readers.delete(controller);
    }
    return undefined;
  }

  async #begin<T>(outer: AbortSignal | undefined, own: AbortSignal, access: Access, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const isEnded = (): boolean => outer?.aborted === true || own.aborted;
    if (isEnded()) throw interrupted();
    if (!(await this.#authorize(access))) throw notAuthorized(access);
    if (isEnded()) throw interrupted();
    return work(own);
  }

  /** Ends all calls, which reject with exit 130, and waits until they have. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open];
    for (const controller of [...open.map(([, one]) => one), ...this.#readers]) controller.abort();
    await Promise.allSettled(open.map(([done]) => done));
  }
}

function withActor(access: Access, actor: string | undefined): Access {
  return actor === undefined ? access : { ...access, actor };
}

function interrupted(): UserError {
  return new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
}

function notAuthorized({ action, resource, actor }: Access): UserError {
  const message = `Not allowed${actor === undefined ? "" : ` for ${actor}`}: ${action} of ${resource}`;
  return inputError({ code: "not-authorized", message, at: [], hint: "The program that embeds the engine decides; ask whoever runs it" });
}

function closed(): UserError {
  return inputError({
    code: "engine-closed",
    message: "The engine was closed before this call",
    at: [],
    hint: "Make another one with createEngine, or close it later",
  });
}
