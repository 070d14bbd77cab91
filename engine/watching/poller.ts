// Asks for many things, each in its own time: one that cannot be asked is asked less and less often, and none waits for another.

export interface PollerParts {
  /** Asks for one; false where it could not be asked. It must not throw. */
  readonly ask: (name: string, signal: AbortSignal) => Promise<boolean>;
  /** So many are asked at the same time at most. */
  readonly atOnce: number;
}

interface Polled {
  /** Milliseconds between looks; 0 for never. */
  every: number;
  failures: number;
  /** When it is asked next, on the clock of the process; undefined while it is asked, and where it never is. */
  due: number | undefined;
  asking: boolean;
}

/** However often something fails, it is asked this often, unless it is asked more seldom anyway; milliseconds. */
const longest = 30 * 60_000;

/** Milliseconds until something is asked again that failed so often in a row. */
export function waitAfter(every: number, failures: number): number {
  return Math.max(every, Math.min(every * 2 ** Math.min(failures, 20), longest));
}

export class Poller {
  readonly #parts: PollerParts;
  readonly #polled = new Map<string, Polled>();
  readonly #over = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: PollerParts) {
    this.#parts = parts;
  }

  /** Asks for these and no others, by the milliseconds between looks (0: only when `soon` says so); `first`: when a new one is asked first. */
  set(wanted: ReadonlyMap<string, number>, first: "now" | "later"): void {
    for (const name of [...this.#polled.keys()]) if (!wanted.has(name)) this.#polled.delete(name);
    for (const [name, every] of wanted) {
      const before = this.#polled.get(name);
      if (before?.every === every) continue;
      const due = first === "now" && before === undefined ? now() : every === 0 ? undefined : now() + every;
      this.#polled.set(name, { every, failures: 0, due, asking: before?.asking === true });
    }
    this.#plan();
  }

  /** Asks for one at once, and once more when it is being asked already. */
  soon(name: string): void {
    const one = this.#polled.get(name);
    if (one === undefined) return;
    one.due = now();
    this.#plan();
  }

  /** Resolves when nothing is asked any more. */
  async close(): Promise<void> {
    this.#over.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#open);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (this.#over.signal.aborted || this.#open.size >= this.#parts.atOnce) return;
    const next = this.#next();
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, Math.min(next[2] - now(), 2 ** 31 - 1)));
  }

  /** The one that waits longest, or has to wait least. */
  #next(): readonly [name: string, one: Polled, due: number] | undefined {
    const waiting = [...this.#polled].flatMap(([name, one]) =>
      one.due === undefined || one.asking ? [] : [[name, one, one.due] as const],
    );
    return waiting.sort(([, , a], [, , b]) => a - b)[0];
  }

  #begin(): void {
    while (this.#open.size < this.#parts.atOnce) {
      const [name, one, due] = this.#next() ?? [];
      if (name === undefined || one === undefined || due === undefined || due > now()) break;
      const done = this.#ask(name, one).finally(() => {
        this.#open.delete(done);
        this.#plan();
      });
      this.#open.add(done);
    }
    this.#plan();
  }

  async #ask(name: string, one: Polled): Promise<void> {
    one.asking = true;
    one.due = undefined;
    const answered = await this.#parts.ask(name, this.#over.signal);
    // What it is asked by may have changed meanwhile.
    const still = this.#polled.get(name);
    if (still === undefined) return;
    still.asking = false;
    still.failures = answered ? 0 : still.failures + 1;
    still.due ??= still.every === 0 ? undefined : now() + waitAfter(still.every, still.failures);
  }
}

/** Milliseconds of a clock that nobody sets. */
function now(): number {
  return performance.now();
}
