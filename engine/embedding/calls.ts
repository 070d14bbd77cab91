// The calls that an engine has under way: each has a signal, and closing the engine ends them all.
import { inputError, UserError } from "../../compiler/index.ts";

export class Calls {
  readonly #open = new Map<Promise<unknown>, AbortController>();
  #closed = false;

  /**
   * Does work with a signal that aborts when the caller's does, or when the engine is closed. Rejects with UserError: `engine-closed` (2)
   * when it is closed already, `interrupted` (130) when the caller's signal was aborted before.
   */
  run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal?.reason);
    const done = this.#begin(signal, controller.signal, work).finally(() => {
      // A signal may outlive many calls.
      signal?.removeEventListener("abort", abort);
      this.#open.delete(done);
    });
    signal?.addEventListener("abort", abort, { once: true });
    this.#open.set(done, controller);
    return done;
  }

  async #begin<T>(outer: AbortSignal | undefined, own: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (outer?.aborted === true) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
    return work(own);
  }

  /** Ends all calls, which reject with exit 130, and waits until they have. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open];
    for (const [, controller] of open) controller.abort();
    await Promise.allSettled(open.map(([done]) => done));
  }
}

function closed(): UserError {
  return inputError({
    code: "engine-closed",
    message: "The engine was closed before this call",
    at: [],
    hint: "Make another one with createEngine, or close it later",
  });
}
