// Randomness that a seed decides: the same seed always gives the same graphs.

/** Texts that have broken encoders before. */
const WORDS = [
  "a",
  "b/c",
  "/",
  "",
  "x y",
  "ü",
  "日本",
  "😀",
  "<&>",
  "\u2028",
  "\uFFFD",
  "*",
  "..",
  "a/../b",
  "/a/.",
  "dir/",
  "A=B",
  '"',
  "\\",
  "\t",
  "10",
  "9",
];

/** mulberry32: small, and good enough to reach every branch. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  word(): string {
    return this.pick(WORDS);
  }

  list<T>(most: number, make: (i: number) => T): T[] {
    return Array.from({ length: this.below(most + 1) }, (_, i) => make(i));
  }

  /** A field that is there in `percent` of all cases. */
  maybe<K extends string, T>(key: K, percent: number, make: () => T): { [P in K]?: T } {
    return this.chance(percent) ? ({ [key]: make() } as { [P in K]?: T }) : {};
  }
}
