// A run's events for whoever would rather wait for them than be called.
import type { UpEvent } from "../events.ts";

type Waiting<T> = (next: IteratorResult<T, undefined>) => void;

/**
 * Keeps events until they are read: one reader, from the first event on. When the reader leaves its loop, nothing more is kept; the run
 * goes on.
 */
export class EventQueue<T = UpEvent> implements AsyncIterableIterator<T, undefined> {
  #kept: T[] = [];
  #waiting: Waiting<T>[] = [];
  #ended = false;

  push(event: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#kept.push(event);
    else waiting({ value: event, done: false });
  }

  /** What is kept can still be read; after it the loop ends. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const event = this.#kept.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#kept = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
