// Reads and writes the outline of a WebAssembly binary: sections and the few entries that a snapshot has to change.

/** Numbers of the sections that are looked at. */
export const Section = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** `body` is what follows the section's number and size. */
export interface WasmSection {
  readonly id: number;
  readonly body: Uint8Array;
}

const HEADER = 8;

export function readSections(wasm: Uint8Array): WasmSection[] {
  const reader = new Reader(wasm);
  reader.skip(HEADER);
  const sections: WasmSection[] = [];
  while (!reader.done) {
    const id = reader.byte();
    sections.push({ id, body: reader.bytes(reader.unsigned()) });
  }
  return sections;
}

export function bodyOf(sections: readonly WasmSection[], id: number): Uint8Array {
  const section = sections.find((s) => s.id === id);
  if (!section) throw new Error(`the WebAssembly binary has no section ${id}`);
  return section.body;
}

/** A binary of the same version as `wasm` with other sections. */
export function writeSections(wasm: Uint8Array, sections: readonly WasmSection[]): Uint8Array {
  const parts = sections.flatMap(({ id, body }) => [Uint8Array.of(id), unsigned(body.length), body]);
  return Buffer.concat([wasm.subarray(0, HEADER), ...parts]);
}

/** A cursor over the encoding's numbers (LEB128) and bytes. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new Error("the WebAssembly binary ends too early");
    return value;
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  bytes(length: number): Uint8Array {
    const from = this.#at;
    this.skip(length);
    return this.#bytes.subarray(from, this.#at);
  }

  /** Everything from here to the end. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Error("the WebAssembly binary ends too early");
  }

  /** Skips the constant expression that a global starts with. */
  skipConstant(): void {
    for (;;) {
      const opcode = this.byte();
      if (opcode === 0x0b) return;
      if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23 || opcode === 0xd2) this.unsigned();
      else if (opcode === 0x43) this.skip(4);
      else if (opcode === 0x44) this.skip(8);
      else if (opcode === 0xd0) this.skip(1);
      else throw new Error(`unknown instruction 0x${opcode.toString(16)} in a constant`);
    }
  }
}

/** Unsigned LEB128. */
export function unsigned(value: number): Uint8Array {
  const out: number[] = [];
  let left = value;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    out.push(left > 0 ? low | 128 : low);
  } while (left > 0);
  return Uint8Array.from(out);
}

/** Signed LEB128 of a number that is not negative. */
export function signed(value: number): Uint8Array {
  const out = unsigned(value);
  const last = out[out.length - 1] as number;
  // The highest bit of the last byte is the sign.
  return last < 64 ? out : Uint8Array.from([...out.subarray(0, -1), last | 128, 0]);
}

/** A name: its length, then UTF-8. */
export function name(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([unsigned(bytes.length), bytes]);
}
