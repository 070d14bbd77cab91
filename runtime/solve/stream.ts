// A bidirectional stream of messages over the connection to the daemon, with backpressure in both directions.
import http2 from "node:http2";
import { FrameReader, frame } from "../grpc/frame.ts";
import { Code, RpcError, readStatus } from "../grpc/status.ts";
import type { Connection, Method } from "./transport.ts";

export interface StreamOptions {
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** One call that sends and receives any number of messages. */
export class MessageStream<Request, Response> {
  /** Settles when the stream has ended; rejects with RpcError, or UserError (exit 3) `connection-lost`. */
  readonly ended: Promise<void>;
  readonly #stream: http2.ClientHttp2Stream;
  readonly #method: Method<Request, Response>;

  constructor(connection: Connection, method: Method<Request, Response>, options: StreamOptions, onMessage: (message: Response) => void) {
    this.#method = method;
    this.#stream = connection.duplex(method.path, options.metadata);
    this.ended = this.#follow(connection, options.signal, onMessage);
    this.ended.catch(() => undefined); // whoever waits for it hears of it
  }

  /** Sends one message; false when the daemon reads slower than we write: wait for `drained` then. */
  send(message: Request): boolean {
    if (this.#stream.closed || this.#stream.destroyed || this.#stream.writableEnded) return true;
    return this.#stream.write(frame(this.#method.request.encode(message).finish()));
  }

  /** Calls back once what was sent has been taken, or never will be. */
  drained(callback: () => void): void {
    const once = (): void => {
      this.#stream.off("drain", once).off("close", once);
      callback();
    };
    if (this.#stream.closed || !this.#stream.writableNeedDrain) callback();
    else this.#stream.on("drain", once).on("close", once);
  }

  /** Receives nothing until `resume`. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Says that no message follows; the daemon then ends the stream. */
  end(): void {
    if (!this.#stream.closed) this.#stream.end();
  }

  cancel(): void {
    if (!this.#stream.closed) this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  #follow(connection: Connection, signal: AbortSignal, onMessage: (message: Response) => void): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      let status: ReturnType<typeof readStatus>;
      let failure: Error | undefined;
      const fail = (error: Error): void => {
        failure ??= error;
        this.cancel();
      };
      const onAbort = (): void => fail(new RpcError(Code.canceled, "canceled by the caller"));
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort);
      const reader = new FrameReader((bytes) => onMessage(this.#method.response.decode(bytes)));
      stream.on("data", (chunk: Buffer) => {
        try {
          reader.push(chunk);
        } catch (error) {
          fail(new RpcError(Code.internal, error instanceof Error ? error.message : String(error), { cause: error }));
        }
      });
      const onStatus = (headers: http2.IncomingHttpHeaders): void => {
        status = readStatus(headers) ?? status;
        // With its status the daemon has said its last; the stream closes when we have, too.
        if (status !== undefined) this.end();
      };
      stream.on("response", onStatus).on("trailers", onStatus);
      stream.on("error", () => undefined); // "close" follows
      stream.on("close", () => {
        signal.removeEventListener("abort", onAbort);
        if (failure !== undefined) reject(failure);
        else if (status?.error !== undefined) reject(status.error);
        else if (status !== undefined) resolve();
        // The connection hears of its end a tick later than its streams.
        else setImmediate(() => reject(connection.lost()));
      });
    });
  }
}
