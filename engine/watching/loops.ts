// Finds runs that lead to one another: what a run saves is changed by somebody else as soon as it is there, or is what it takes, so that it runs again, and saves it.

/** So many runs in a row for nothing else than what the run before saved are a loop. */
const rounds = 4;

export interface Loop {
  /** Full path of a file, or `source NAME`. */
  readonly what: string;
  /** CUE path of the component that saves it. */
  readonly component: string;
}

export class Loops {
  readonly #rounds = new Map<string, number>();
  readonly #broken = new Set<string>();

  /**
   * `changed` is what has changed since the last run, as full paths, or `source NAME`; `saver` says which component saves it. Gives that for which to
   * run, and loops that were found just now: they are broken, what they are about starts no run before something else changes.
   */
  sift(
    changed: readonly string[],
    saver: (path: string) => string | undefined,
  ): { readonly paths: readonly string[]; readonly found: readonly Loop[] } {
    const others = changed.filter((path) => saver(path) === undefined);
    if (others.length > 0) {
      this.#rounds.clear();
      this.#broken.clear();
      return { paths: changed, found: [] };
    }
    const found: Loop[] = [];
    for (const path of changed) {
      const count = (this.#rounds.get(path) ?? 0) + 1;
      this.#rounds.set(path, count);
      if (count < rounds || this.#broken.has(path)) continue;
      this.#broken.add(path);
      found.push({ what: path, component: saver(path) ?? "" });
    }
    return { paths: changed.filter((path) => !this.#broken.has(path)), found };
  }
}
