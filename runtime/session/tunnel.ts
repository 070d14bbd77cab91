// The byte pipe inside Control.Session: BytesMessages of a gRPC stream on the outside, a Duplex that HTTP/2 can be served on inside.
import type { ClientHttp2Stream } from "node:http2";
import http2 from "node:http2";
import { Duplex } from "node:stream";
import { fieldHeader, frameHeader } from "../grpc/frame.ts";

/** Enough that a burst of small writes becomes one message, small enough that memory stays flat. */
const highWaterMark = 1 << 20;
const dataField = 1;

type Done = (error?: Error | null) => void;

/** Each `_writev` becomes one BytesMessage { data }. Destroying it cancels the stream. */
export class Tunnel extends Duplex {
  readonly #stream: ClientHttp2Stream;

  constructor(stream: ClientHttp2Stream) {
    super({ highWaterMark, allowHalfOpen: false });
    this.#stream = stream;
    const reader = new PayloadReader((payload) => {
      if (!this.push(payload)) stream.pause();
    });
    stream.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.destroy(error as Error);
      }
    });
    stream.on("end", () => this.push(null));
    stream.on("error", () => {}); // "close" follows
    stream.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: Done): void {
    this.#send(
      chunks.map((c) => c.chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.#stream.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.#stream.closed) this.#stream.close(http2.constants.NGHTTP2_CANCEL);
    done(error);
  }

  #send(chunks: readonly Buffer[], done: Done): void {
    if (this.#stream.closed || this.#stream.destroyed) {
      done(new Error("the session is closed"));
      return;
    }
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    const field = fieldHeader(dataField, length);
    this.#stream.cork();
    this.#stream.write(frameHeader(field.length + length));
    this.#stream.write(field);
    chunks.forEach((chunk, i) => {
      this.#stream.write(chunk, i === chunks.length - 1 ? (error) => done(error ?? null) : undefined);
    });
    this.#stream.uncork();
  }
}

/**
 * Takes BytesMessages apart as their bytes come in, without waiting for a whole message and without copying.
 * Throws RangeError when a message is anything else.
 */
export class PayloadReader {
  readonly #onPayload: (payload: Buffer) => void;
  readonly #header = Buffer.alloc(5);
  #headerFill = 0;
  /** Bytes of the message that are still to come; 0 between messages. */
  #message = 0;
  /** Bytes of the payload that are still to come; undefined while its header is read. */
  #payload: number | undefined;
  #tagRead = false;
  #length = 0;
  #shift = 1;

  constructor(onPayload: (payload: Buffer) => void) {
    this.#onPayload = onPayload;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#message === 0) at += this.#readHeader(chunk, at);
      else if (this.#payload === undefined) this.#readField(chunk[at++] as number);
      else {
        const taken = Math.min(this.#payload, chunk.length - at);
        this.#onPayload(chunk.subarray(at, at + taken));
        at += taken;
        this.#advance(taken);
      }
    }
  }

  #readHeader(chunk: Buffer, at: number): number {
    const taken = Math.min(5 - this.#headerFill, chunk.length - at);
    chunk.copy(this.#header, this.#headerFill, at, at + taken);
    this.#headerFill += taken;
    if (this.#headerFill === 5) {
      this.#headerFill = 0;
      if (this.#header[0] !== 0) throw new RangeError("a compressed message arrived on the session");
      this.#message = this.#header.readUInt32BE(1);
      this.#payload = undefined;
      this.#tagRead = false;
      this.#length = 0;
      this.#shift = 1;
    }
    return taken;
  }

  #readField(byte: number): void {
    this.#message--;
    if (!this.#tagRead) {
      if (byte !== ((dataField << 3) | 2)) throw new RangeError("an unknown message arrived on the session");
      this.#tagRead = true;
    } else {
      this.#length += (byte & 127) * this.#shift;
      this.#shift *= 128;
      if (byte < 128) {
        if (this.#length !== this.#message) throw new RangeError("a message on the session has a wrong length");
        this.#payload = this.#length;
        return;
      }
    }
    if (this.#message === 0) throw new RangeError("a message on the session ends too early");
  }

  #advance(taken: number): void {
    this.#message -= taken;
    if (this.#payload !== undefined) this.#payload -= taken;
    if (this.#message === 0) this.#payload = undefined;
  }
}
