// One call that the daemon makes into the session: its metadata, its messages, and how it ends.
import type { ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import { FrameReader, frame, frameHeader } from "../grpc/frame.ts";
import { Code, encodeMessage } from "../grpc/status.ts";

/** Unsent bytes at which a sender is asked to wait. */
const highWater = 1 << 20;
/** No `date` header: for its milliseconds Node asks for the local time zone, and finding that out takes up to 20 ms. */
const respondOptions = { waitForTrailers: true, sendDate: false };

export class Call {
  readonly path: string;
  readonly #stream: ServerHttp2Stream;
  readonly #raw: readonly string[];
  #ended = false;
  #drained: { promise: Promise<void>; resolve: () => void } | undefined;
  #onMessage: (message: Buffer) => void = () => {};
  #onEnd: () => void = () => {};
  #onClose: (() => void)[] = [];

  /** `rawHeaders` alternates names and values, as Node gives them: repeated names are kept apart there. */
  constructor(path: string, stream: ServerHttp2Stream, rawHeaders: readonly string[]) {
    this.path = path;
    this.#stream = stream;
    this.#raw = rawHeaders;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, respondOptions);
    stream.on("error", () => {}); // "close" follows
    stream.on("close", () => this.#closed());
  }

  /** True when nothing more can be sent: the daemon has gone, or the call has ended. */
  get closed(): boolean {
    return this.#ended || this.#stream.closed || this.#stream.destroyed;
  }

  /** All values of a metadata key; values with characters beyond ASCII come in Go's query encoding, marked by `<key>-encoded`. */
  metadata(key: string): readonly string[] {
    const values = this.#values(key);
    const encoded = this.#values(`${key}-encoded`)[0];
    return encoded === "1" || encoded === "true" ? values.map(queryUnescape) : values;
  }

  /** Names of all metadata, in lower case. */
  metadataNames(): string[] {
    return [...new Set(this.#raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()))];
  }

  /** Starts reading. `onMessage` runs synchronously per message; `onEnd` when the daemon has sent all. */
  read(onMessage: (message: Buffer) => void, onEnd: () => void = () => {}): void {
    this.#onMessage = onMessage;
    this.#onEnd = onEnd;
    const reader = new FrameReader((message) => {
      if (!this.closed) this.#onMessage(message);
    });
    this.#stream.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.end(Code.internal, error instanceof Error ? error.message : String(error));
      }
    });
    this.#stream.on("end", () => {
      if (!this.closed) this.#onEnd();
    });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.closed) this.#stream.resume();
  }

  /** Runs once the call is over for whatever reason; at once when it already is. */
  onClose(listener: () => void): void {
    if (this.#stream.closed || this.#stream.destroyed) listener();
    else this.#onClose.push(listener);
  }

  /** Sends one message. Returns a promise when the sender should wait before it sends more. */
  send(...parts: readonly Uint8Array[]): Promise<void> | undefined {
    let length = 0;
    for (const part of parts) length += part.length;
    if (length < 4096) return this.sendFrames(frame(...parts));
    if (this.closed) return undefined;
    this.#stream.cork();
    this.#stream.write(frameHeader(length));
    for (const part of parts) if (part.length > 0) this.#stream.write(part);
    this.#stream.uncork();
    return this.#wait();
  }

  /** Sends bytes that are framed already. `sent` runs when the buffer may be used again. */
  sendFrames(frames: Uint8Array, sent?: () => void): Promise<void> | undefined {
    if (this.closed) return undefined;
    this.#stream.write(frames, sent);
    return this.#wait();
  }

  /** Ends the call; later ends are ignored. */
  end(code: number, message = ""): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#drained?.resolve();
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) return;
    stream.once("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": String(code), ...(message === "" ? {} : { "grpc-message": encodeMessage(message) }) });
      // Whatever the daemon still sends is of no use, and an unread stream would hold its window.
      stream.resume();
    });
    stream.end();
  }

  /** Ends the call at once, without a status. */
  cancel(): void {
    this.#ended = true;
    if (!this.#stream.closed) this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  #values(key: string): string[] {
    const values: string[] = [];
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      if ((this.#raw[i] as string).toLowerCase() === key) values.push(this.#raw[i + 1] as string);
    }
    return values;
  }

  #wait(): Promise<void> | undefined {
    if (this.#stream.writableLength < highWater) return undefined;
    if (this.#drained === undefined) {
      const { promise, resolve } = withResolvers();
      this.#drained = { promise, resolve };
      this.#stream.once("drain", () => {
        this.#drained = undefined;
        resolve();
      });
    }
    return this.#drained.promise;
  }

  #closed(): void {
    this.#ended = true;
    this.#drained?.resolve();
    for (const listener of this.#onClose) listener();
    this.#onClose = [];
  }
}

/** Reads the one message of a unary call. */
export function readOne(call: Call): Promise<Buffer> {
  return new Promise((resolve) => {
    let request = Buffer.alloc(0);
    call.read(
      (message) => {
        request = Buffer.from(message);
      },
      () => resolve(request),
    );
  });
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((ok) => {
    resolve = ok;
  });
  return { promise, resolve };
}

/** Go's url.QueryUnescape; a broken escape is kept as it is. */
function queryUnescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    return text;
  }
}
