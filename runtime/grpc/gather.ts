// Hands over what comes in quick succession together: to wake up for each of many small messages costs more than what they say.

export class Gather<T> {
  readonly #pause: number;
  readonly #take: (items: readonly T[]) => void;
  #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `pause`: milliseconds from one handing over to the next. What comes after a longer silence is handed over at once. */
  constructor(pause: number, take: (items: readonly T[]) => void) {
    this.#pause = pause;
    this.#take = take;
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#timer === undefined) this.#next();
  }

  /** Hands over what there is, and the next again at once. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#give();
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#items.length > 0) this.#next();
    }, this.#pause);
    this.#give();
  }

  #give(): void {
    const items = this.#items;
    this.#items = [];
    if (items.length > 0) this.#take(items);
  }
}
