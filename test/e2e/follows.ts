// A watch of an embedded engine that follows sources, for tests that read it event by event.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, WatchEvent, WatchOptions } from "../../engine/embedding/index.ts";
import type { FollowEvent } from "../../engine/index.ts";

/** Milliseconds until something that does not come has not come. */
export const late = 180_000;

/** A watch, read event by event. */
export class FollowReader {
  readonly seen: WatchEvent[] = [];
  readonly #stop = new AbortController();
  readonly #events: AsyncIterator<WatchEvent, undefined>;

  constructor(engine: Engine, options: WatchOptions) {
    this.#events = engine.watch({ poll: 300, signal: this.#stop.signal, ...options })[Symbol.asyncIterator]();
  }

  /** The next event that is meant; what came before it is in `seen`. */
  async until<E extends WatchEvent>(is: (event: WatchEvent) => event is E): Promise<E> {
    const timeout = new AbortController();
    const over = sleep(late, undefined, { signal: timeout.signal }).then(
      () =>
        Promise.reject(new Error(`it does not come, after ${JSON.stringify(this.seen.filter(({ type }) => type !== "event").slice(-20))}`)),
      () => undefined as never,
    );
    over.catch(() => undefined);
    try {
      for (;;) {
        const { value, done } = await Promise.race([this.#events.next(), over]);
        if (done === true) throw new Error("the watch is over");
        this.seen.push(value);
        if (is(value)) return value;
      }
    } finally {
      timeout.abort();
    }
  }

  /** Until all nodes have run for what their inputs have. */
  async rest(): Promise<void> {
    await this.until((event): event is FollowEvent => event.type === "following");
  }

  async news(source: string): Promise<void> {
    await this.until((event): event is FollowEvent => event.type === "source" && event.source === source && event.state === "new");
  }

  /** Ids of nodes that were done, since the last time. */
  computed(): readonly string[] {
    return this.seen.splice(0).flatMap((event) => (event.type === "node" && event.state === "done" ? [event.node] : []));
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await assert.rejects(
      async () => {
        for (;;) {
          const { done } = await this.#events.next();
          if (done === true) return;
        }
      },
      { exit: 130 },
    );
  }
}
