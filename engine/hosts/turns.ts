// So many at a time: whoever comes later waits for its turn, in order.

export class Turns {
  #free: number;
  #holds = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Resolves when it is one's turn, which `give` ends. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#next();
    });
  }

  give(): void {
    this.#free += 1;
    this.#next();
  }

  /** Nobody's turn comes before as many calls of `release`. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    this.#next();
  }

  #next(): void {
    while (this.#free > 0 && this.#holds === 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#free -= 1;
      next();
    }
  }
}
