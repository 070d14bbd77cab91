// Seeded randomness, and the ways in which bytes are broken: a failing run is repeated by its seed.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** `bytes` with a few of them changed, cut, doubled or put in. */
  broken(bytes: Buffer): Buffer {
    let out: Buffer = bytes;
    for (let i = 1 + this.below(4); i > 0; i--) out = this.#breakOnce(out);
    return out;
  }

  /** `bytes` in pieces, as a network may bring them. */
  pieces(bytes: Buffer): Buffer[] {
    const out: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + this.below(this.pick([1, 8, 4096]));
      out.push(bytes.subarray(at, at + size));
      at += size;
    }
    return out;
  }

  #breakOnce(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + this.below(16));
    switch (this.below(6)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([bytes.subarray(0, at), this.bytes(1 + this.below(8)), bytes.subarray(at)]);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
      case 3:
        return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(end - at, this.pick([0, 0x7f, 0x80, 0xff])), bytes.subarray(end)]);
      default: {
        const changed = Buffer.from(bytes);
        if (at < changed.length) changed[at] = (changed[at] as number) ^ (1 << this.below(8));
        return changed;
      }
    }
  }
}
