// gRPC over node:http2, client side: one connection to a daemon; unary calls, server streams and raw bidirectional streams.
// Why not a gRPC library: docs/decisions/http2-transport.md.
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { UserError } from "../../compiler/diagnostic.ts";
import { type Address, dial, noDaemon, whyLost } from "../connect/index.ts";
import { FrameReader, frame } from "../grpc/frame.ts";
import { Code, RpcError, readStatus } from "../grpc/status.ts";

/** What of a generated message a call needs. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** A method: its path and the messages that go over it. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string | string[]>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; the server is told too. */
  readonly timeout?: number;
  readonly onHeaders?: (headers: http2.IncomingHttpHeaders) => void;
}

/** The daemon sends to us: a stream may have this much unread, all streams together twice as much. */
const windowSize = 16 << 20;

/** Milliseconds. Programs may have to reach a cluster, and log in there, before they pass anything on. */
function connectTimeout({ kind }: Address): number {
  return kind === "command" ? 30_000 : 10_000;
}

export class Connection {
  readonly address: Address;
  readonly #session: http2.ClientHttp2Session;
  #lost: unknown;
  #closing = false;

  private constructor(address: Address, session: http2.ClientHttp2Session) {
    this.address = address;
    this.#session = session;
    session.on("error", (error) => {
      this.#lost ??= error;
    });
    session.on("close", () => {
      if (!this.#closing) this.#lost ??= new Error("the connection was closed");
    });
  }

  /** Connects, and waits until the other side has spoken HTTP/2. Throws UserError (exit 3) `no-daemon`, or (130) `interrupted`. */
  static async open(address: Address, signal?: AbortSignal): Promise<Connection> {
    const late = AbortSignal.timeout(connectTimeout(address));
    const stop = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      stop.throwIfAborted();
      const stream = await dial(address, stop);
      return new Connection(address, await greet(address, stream, stop));
    } catch (error) {
      if (signal?.aborted === true) throw interrupted();
      if (error instanceof UserError) throw error;
      throw noDaemon(address, late.aborted ? new Error("it gives no answer") : error);
    }
  }

  /** One request, one response. Throws RpcError, or UserError (exit 3) `connection-lost`. */
  async unary<Request, Response>(method: Method<Request, Response>, request: Request, options: CallOptions = {}): Promise<Response> {
    return method.response.decode(await this.unaryBytes(method.path, [method.request.encode(request).finish()], options));
  }

  /** As `unary`, the request given as the parts of one encoded message: for bytes that must be sent as they are. */
  async unaryBytes(path: string, request: readonly Uint8Array[], options: CallOptions = {}): Promise<Buffer> {
    let response: Buffer | undefined;
    await this.#run(path, request, options, (message) => {
      response = message;
    });
    if (response === undefined) throw new RpcError(Code.internal, `${path} ended without an answer`);
    return response;
  }

  /** One request, many responses; resolves when the stream has ended well. */
  async serverStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    onMessage: (message: Response) => void,
    options: CallOptions = {},
  ): Promise<void> {
    await this.#run(method.path, [method.request.encode(request).finish()], options, (bytes) => onMessage(method.response.decode(bytes)));
  }

  /** A bidirectional stream; the caller frames and reads it. */
  duplex(path: string, metadata: Readonly<Record<string, string | string[]>>): http2.ClientHttp2Stream {
    if (this.#session.destroyed || this.#session.closed) throw this.lost();
    return this.#session.request(headers(path, { metadata }));
  }

  /** The error to show when the connection broke while a job ran. */
  lost(): UserError {
    return new UserError(
      3,
      [
        {
          code: "connection-lost",
          message: `Lost the connection to the BuildKit daemon at ${this.address.text}${this.#lost === undefined ? "" : `: ${whyLost(this.address, this.#lost)}`}`,
          at: [],
          hint: "Look into the daemon's log; steps that were finished are cached, so a new run goes on from there",
        },
      ],
      { cause: this.#lost },
    );
  }

  /** Ends the connection and whatever still runs on it. Safe to call twice. */
  close(): void {
    this.#closing = true;
    if (!this.#session.destroyed) this.#session.destroy();
  }

  #run(path: string, request: readonly Uint8Array[], options: CallOptions, onMessage: (message: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted === true) return reject(new RpcError(Code.canceled, "canceled by the caller"));
      if (this.#session.destroyed || this.#session.closed) return reject(this.lost());
      const stream = this.#session.request(headers(path, options));
      let ended: ReturnType<typeof readStatus>;
      let failure: unknown;
      const fail = (error: unknown): void => {
        failure ??= error;
        stream.close(http2.constants.NGHTTP2_CANCEL);
      };
      const onAbort = (): void => fail(new RpcError(Code.canceled, "canceled by the caller"));
      const timer =
        options.timeout === undefined
          ? undefined
          : setTimeout(() => fail(new RpcError(Code.deadlineExceeded, `${path} took too long`)), options.timeout);
      options.signal?.addEventListener("abort", onAbort);
      const reader = new FrameReader(onMessage);
      stream.on("data", (chunk: Buffer) => attempt(() => reader.push(chunk), fail));
      stream.on("response", (received) => {
        options.onHeaders?.(received);
        ended = readStatus(received) ?? ended;
        if (received[":status"] !== 200)
          failure ??= new RpcError(Code.unavailable, `${path} was answered with HTTP status ${received[":status"]}`);
      });
      stream.on("trailers", (received: http2.IncomingHttpHeaders) => {
        ended = readStatus(received) ?? ended;
      });
      stream.on("error", (error) => {
        failure ??= this.#lost === undefined ? error : undefined;
      });
      stream.on("close", () => {
        clearTimeout(timer);
        options.signal?.removeEventListener("abort", onAbort);
        if (failure instanceof RpcError) reject(failure);
        else if (ended?.error !== undefined) reject(ended.error);
        else if (ended !== undefined) resolve();
        else if (this.#session.destroyed || this.#lost !== undefined) this.#rejectLost(reject);
        else reject(new RpcError(Code.unavailable, `${path} ended without a status`, { cause: failure }));
      });
      stream.end(frame(...request));
      return undefined;
    });
  }

  /** A stream may hear of the end before the connection does: its reason is then a tick away. */
  #rejectLost(reject: (error: unknown) => void): void {
    setImmediate(() => reject(this.#closing ? new RpcError(Code.canceled, "the connection was closed") : this.lost()));
  }
}

function attempt(work: () => void, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(
      error instanceof RpcError
        ? error
        : new RpcError(Code.internal, error instanceof Error ? error.message : String(error), { cause: error }),
    );
  }
}

function headers(path: string, options: CallOptions): http2.OutgoingHttpHeaders {
  return {
    ":method": "POST",
    ":path": path,
    te: "trailers",
    "content-type": "application/grpc",
    "user-agent": "cuellb",
    ...(options.timeout === undefined ? {} : { "grpc-timeout": `${Math.ceil(options.timeout)}m` }),
    ...options.metadata,
  };
}

function authority(address: Address): string {
  if (address.kind !== "tcp") return "http://localhost";
  const host = address.tls?.serverName ?? address.host;
  return `${address.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

/** Speaks HTTP/2 on the stream until the other side answers. Rejects with what broke, or when `stop` aborts. */
function greet(address: Address, stream: Duplex, stop: AbortSignal): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(authority(address), {
      createConnection: () => stream,
      settings: { initialWindowSize: windowSize, enablePush: false, maxFrameSize: 1 << 20 },
      // In MB. Node closes streams of a connection that holds more; the windows are what bounds it.
      maxSessionMemory: 1000,
    });
    const fail = (error: unknown): void => {
      cleanup();
      // What follows a failed connect says nothing new.
      session.on("error", () => {});
      stream.on("error", () => {});
      session.destroy();
      stream.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onAbort = (): void => fail(stop.reason);
    // The stream knows best why it broke; the session may only see it end, and sooner.
    const onError = (error: unknown): void => fail(stream.errored ?? error);
    const onClose = (): void => fail(stream.errored ?? new Error("it closed the connection"));
    const cleanup = (): void => {
      stop.removeEventListener("abort", onAbort);
      session.off("error", onError).off("close", onClose);
      stream.off("error", onError);
    };
    stop.addEventListener("abort", onAbort);
    stream.on("error", onError);
    session.on("error", onError).on("close", onClose);
    session.once("remoteSettings", () => {
      cleanup();
      stream.on("error", () => {}); // the session tells of it
      session.setLocalWindowSize(windowSize * 2);
      resolve(session);
    });
    if (stop.aborted) onAbort();
  });
}

/** The user stopped the run. */
export function interrupted(): UserError {
  return new UserError(130, [{ code: "interrupted", message: "interrupted", at: [] }]);
}
