// Keeps the last part of a step's log, so that it can be shown in full when the step fails.
import { bytes } from "./units.ts";

/** Characters that are kept per step. */
export const keptPerStep: number = 1024 * 1024;

export class LogStore {
  readonly #limit: number;
  #lines: string[] = [];
  /** Lines before this index were given up. */
  #first = 0;
  #size = 0;
  #cut = 0;

  constructor(limit: number = keptPerStep) {
    this.#limit = limit;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#size += line.length + 1;
    while (this.#size > this.#limit && this.#lines.length - this.#first > 1) {
      const size = (this.#lines[this.#first] ?? "").length + 1;
      this.#lines[this.#first++] = "";
      this.#size -= size;
      this.#cut += size;
    }
    // Moving the array for each dropped line would be quadratic: it moves when half of it is gone.
    if (this.#first > 1024 && this.#first > this.#lines.length / 2) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }

  get length(): number {
    return this.#lines.length - this.#first;
  }

  last(count: number): string[] {
    return count <= 0 ? [] : this.#lines.slice(Math.max(this.#first, this.#lines.length - count));
  }

  /** All that is kept; says what is not. */
  all(): string[] {
    const lines = this.#lines.slice(this.#first);
    return this.#cut === 0 ? lines : [`[${bytes(this.#cut)} of earlier output not kept]`, ...lines];
  }
}
