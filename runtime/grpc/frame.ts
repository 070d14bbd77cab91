// gRPC's framing of messages (one flag byte, four length bytes) and the few protobuf bytes that hot paths write by hand.

/** The largest message that is accepted. BuildKit limits its own to 16 MiB. */
const maxMessage = 64 << 20;
const headerSize = 5;

/** The five bytes before a message of `length` bytes. */
export function frameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(headerSize);
  header[0] = 0;
  header.writeUInt32BE(length, 1);
  return header;
}

/** One framed message made of `parts`, as one buffer. */
export function frame(...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([frameHeader(length), ...parts], headerSize + length);
}

/** Cuts a byte stream into messages. Throws RangeError on a compressed or oversized message: the stream is then useless. */
export class FrameReader {
  readonly #onMessage: (message: Buffer) => void;
  readonly #header = Buffer.alloc(headerSize);
  #headerFill = 0;
  #body: Buffer | undefined;
  #bodyFill = 0;

  /** `onMessage` gets a view that stays valid: its bytes are never reused. */
  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) {
        const taken = Math.min(headerSize - this.#headerFill, chunk.length - at);
        chunk.copy(this.#header, this.#headerFill, at, at + taken);
        this.#headerFill += taken;
        at += taken;
        if (this.#headerFill < headerSize) return;
        this.#headerFill = 0;
        const length = this.#length();
        if (chunk.length - at >= length) {
          this.#onMessage(chunk.subarray(at, at + length));
          at += length;
          continue;
        }
        this.#body = Buffer.allocUnsafe(length);
        this.#bodyFill = 0;
      }
      at += this.#fill(this.#body, chunk, at);
    }
  }

  #length(): number {
    if (this.#header[0] !== 0) throw new RangeError("a compressed gRPC message arrived, which was not asked for");
    const length = this.#header.readUInt32BE(1);
    if (length > maxMessage) throw new RangeError(`a gRPC message of ${length} bytes is too large`);
    return length;
  }

  #fill(body: Buffer, chunk: Buffer, at: number): number {
    const taken = Math.min(body.length - this.#bodyFill, chunk.length - at);
    chunk.copy(body, this.#bodyFill, at, at + taken);
    this.#bodyFill += taken;
    if (this.#bodyFill === body.length) {
      this.#body = undefined;
      this.#onMessage(body);
    }
    return taken;
  }
}

/** How many bytes `value` (up to 2^53) takes as a varint. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes `value` (up to 2^53) as a varint; returns the position after it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let next = at;
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) target[next++] = (rest % 128) | 128;
  target[next++] = rest;
  return next;
}

/** Tag and length of a length-delimited field, to be followed by its bytes. */
export function fieldHeader(field: number, length: number): Buffer {
  const tag = (field << 3) | 2;
  const header = Buffer.allocUnsafe(varintSize(tag) + varintSize(length));
  writeVarint(header, writeVarint(header, 0, tag), length);
  return header;
}
