// Hides secrets in bytes that come piece by piece. Keeps back only what may be the begin of a secret.
import type { Automaton } from "./automaton.ts";

const mask = Buffer.from("***");
const nothing = new Uint8Array(0);
/** Line ends in a row that may stand within a match. */
const maxWrap = 2;

/** One stream of bytes. What `push` gives is final; `end` gives what was kept back, and the stream may begin anew. */
export class ScrubStream {
  readonly #patterns: () => Automaton | undefined;
  #known: Automaton | undefined;
  #held: Uint8Array = nothing;
  #node = 0;
  /** In `held`: line ends that the match at hand goes over. */
  #skips: number[] = [];
  /** In `held`: starts and ends of what is to be hidden, in order, apart from each other. */
  #hidden: number[] = [];
  /** The last byte that was given was a hidden one. */
  #masked = false;

  /** `patterns` gives what to look for now: more secrets may be learnt while the stream goes on. */
  constructor(patterns: () => Automaton | undefined) {
    this.#patterns = patterns;
  }

  push(data: Uint8Array): Uint8Array {
    const patterns = this.#patterns();
    if (patterns === undefined) return data;
    let from = this.#held.length;
    const bytes = from === 0 ? data : Buffer.concat([this.#held, data]);
    if (patterns !== this.#known) {
      this.#known = patterns;
      this.#node = from = 0;
      this.#skips = [];
    }
    this.#walk(patterns, bytes, from);
    return this.#give(bytes, this.#startOf(patterns.depth(this.#node), bytes.length));
  }

  end(): Uint8Array {
    const rest = this.#give(this.#held, this.#held.length);
    this.#node = 0;
    this.#skips = [];
    this.#masked = false;
    return rest;
  }

  #walk(patterns: Automaton, bytes: Uint8Array, from: number): void {
    const { start } = patterns;
    let node = this.#node;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (node === 0) {
        node = start[byte] ?? 0;
        if (node === 0) continue;
      } else if (patterns.wraps(node, byte) && !this.#longWrap(at)) {
        this.#skips.push(at);
        continue;
      } else node = patterns.next(node, byte);
      const length = patterns.match(node);
      if (length === 0) continue;
      this.#hide(this.#startOf(length, at + 1), at + 1);
      node = patterns.settled(node);
    }
    this.#node = node;
  }

  #longWrap(at: number): boolean {
    return this.#skips.length >= maxWrap && this.#skips.at(-maxWrap) === at - maxWrap;
  }

  /** Where a match of `length` bytes starts that ends before `end`. */
  #startOf(length: number, end: number): number {
    let start = end - length;
    for (let index = this.#skips.length - 1; index >= 0 && (this.#skips[index] ?? 0) >= start; index--) start--;
    return start;
  }

  #hide(start: number, end: number): void {
    let first = start;
    while (this.#hidden.length > 0 && (this.#hidden.at(-1) ?? 0) >= first) {
      this.#hidden.pop();
      first = Math.min(first, this.#hidden.pop() ?? 0);
    }
    this.#hidden.push(first, end);
  }

  /** Gives the bytes before `end`, and keeps the others. */
  #give(bytes: Uint8Array, end: number): Uint8Array {
    const hidden = this.#hidden;
    this.#held = end === bytes.length ? nothing : Uint8Array.prototype.slice.call(bytes, end);
    this.#skips = this.#skips.filter((at) => at >= end).map((at) => at - end);
    if (hidden.length === 0) {
      if (end > 0) this.#masked = false;
      return bytes.subarray(0, end);
    }
    const parts: Uint8Array[] = [];
    const rest: number[] = [];
    let given = 0;
    for (let index = 0; index < hidden.length; index += 2) {
      const [start = 0, stop = 0] = hidden.slice(index, index + 2);
      if (start < end) {
        parts.push(bytes.subarray(given, start));
        // What goes on from the bytes that were given before has its mask.
        if (start > 0 || !this.#masked) parts.push(mask);
        given = Math.min(stop, end);
      }
      if (stop > end) rest.push(Math.max(start, end) - end, stop - end);
    }
    parts.push(bytes.subarray(given, end));
    if (end > 0) this.#masked = given === end;
    this.#hidden = rest;
    return Buffer.concat(parts);
  }
}
