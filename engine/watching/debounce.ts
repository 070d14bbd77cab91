// Waits until changes come to rest: many that come together are one.

export interface Pace {
  /** Milliseconds without a change after which it is quiet. */
  readonly quiet: number;
  /** Milliseconds after the first change that somebody waits at most, as long as changes are not a flood. */
  readonly limit: number;
}

/** From so many changes on they are a flood: something writes a whole tree, and half of it helps nobody. */
const flood = 1000;
/** A flood may last so many times as long as `limit`. */
const patience = 60;

/** Counts changes, whose contents are looked up on the disk when it is quiet: nothing of them is kept. */
export class Debounce {
  readonly #pace: Pace;
  readonly #fire: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #first = 0;
  #count = 0;

  constructor(pace: Pace, fire: () => void, now: () => number = Date.now) {
    this.#pace = pace;
    this.#fire = fire;
    this.#now = now;
  }

  /** `count` changes were seen. */
  note(count = 1): void {
    if (this.#count === 0) this.#first = this.#now();
    this.#count += count;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), waitFor(this.#pace, this.#count, this.#now() - this.#first));
  }

  /** Forgets what was noted. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#count = 0;
  }

  #end(): void {
    this.clear();
    this.#fire();
  }
}

/** How long to wait after a change, when `count` have come in `since` milliseconds. */
export function waitFor({ quiet, limit }: Pace, count: number, since: number): number {
  if (count < flood) return Math.max(0, Math.min(quiet, limit - since));
  // In a flood a pause is longer than between the keys of a person.
  return Math.max(0, Math.min(Math.max(quiet, limit), limit * patience - since));
}
