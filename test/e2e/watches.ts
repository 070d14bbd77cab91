// A watch of an embedded engine, for tests that read it run by run.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Engine, WatchEvent, WatchOptions } from "../../engine/embedding/index.ts";

/** Milliseconds until something that does not come has not come. */
export const late = 120_000;

type End = Extract<WatchEvent, { type: "end" }>;
type Start = Extract<WatchEvent, { type: "start" }>;

export interface Round {
  readonly start: Start;
  readonly end: End;
  /** Components with steps that ran, and did not come from the cache. */
  readonly executed: readonly string[];
}

/** One watch, read run by run. */
export class Watch {
  readonly dir: string;
  readonly warnings: string[] = [];
  readonly #events: AsyncIterator<WatchEvent, undefined>;
  readonly #stop = new AbortController();

  /** In a directory of its own, below `dir`. */
  constructor(
    { engine, dir }: { readonly engine: Engine; readonly dir: string },
    name: string,
    files: Readonly<Record<string, string>>,
    options: WatchOptions,
  ) {
    this.dir = join(dir, name);
    this.write({ "cue.mod/module.cue": 'module: "example.test/watched"\nlanguage: version: "v0.9.0"\n', ...files });
    this.#events = engine.watch({ dir: this.dir, poll: 0, signal: this.#stop.signal, ...options })[Symbol.asyncIterator]();
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.dir, path)), { recursive: true });
      writeFileSync(join(this.dir, path), text);
    }
  }

  async event(): Promise<WatchEvent> {
    const timer = new AbortController();
    const timeout = new Promise<never>((_, reject) => {
      const waiting = setTimeout(() => reject(new Error("the watch says nothing more")), late);
      timer.signal.addEventListener("abort", () => clearTimeout(waiting));
    });
    try {
      const { value, done } = await Promise.race([this.#events.next(), timeout]);
      if (done === true) throw new Error("the watch is over");
      if (value.type === "warning") this.warnings.push(value.code);
      return value;
    } finally {
      timer.abort();
    }
  }

  /** Until the run that begins next has ended. */
  async round(): Promise<Round> {
    let start: Start | undefined;
    const executed = new Set<string>();
    for (;;) {
      const event = await this.event();
      if (event.type === "start") start = event;
      if (event.type === "event" && event.event.type === "step" && event.event.state === "done") {
        const { component, name } = event.event.step;
        // What a name stands for is asked in each run.
        if (component !== "" && !/^(local|fetch-git) /.test(name)) executed.add(component);
      }
      if (event.type === "end" && start !== undefined) return { start, end: event, executed: [...executed].sort() };
    }
  }

  async waiting(): Promise<void> {
    while ((await this.event()).type !== "waiting");
  }

  /** Ends it as Ctrl-C does. */
  async end(): Promise<void> {
    this.#stop.abort();
    await assert.rejects(
      async () => {
        for (;;) await this.event();
      },
      { exit: 130 },
    );
  }
}

export function valuesOf({ end }: Round): unknown {
  assert.equal(end.outcome, "done", JSON.stringify(end));
  return end.outcome === "done" ? end.result.values : undefined;
}
