// gRPC over node:http2, client side: one connection to a daemon; unary calls, server streams and raw bidirectional streams.
// Why not a gRPC library: docs/decisions/http2-transport.md.
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { UserError } from "../../compiler/diagnostic.ts";
import { FrameReader, frame } from "../grpc/frame.ts";
import { Code, RpcError, readStatus } from "../grpc/status.ts";
import type { Address } from "./address.ts";

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
const connectTimeout = 10_000;

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
  static open(address: Address, signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(interrupted());
      const session = http2.connect(authority(address), {
        createConnection: () => dial(address),
        settings: { initialWindowSize: windowSize, enablePush: false, maxFrameSize: 1 << 20 },
      });
      const fail = (error: UserError): void => {
        cleanup();
        session.on("error", () => {}); // what follows a failed connect says nothing new
        session.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(interrupted());
      const onError = (error: unknown): void => fail(noDaemon(address, error));
      const onClose = (): void => fail(noDaemon(address, new Error("it closed the connection")));
      const timer = setTimeout(() => fail(noDaemon(address, new Error("it gives no answer"))), connectTimeout);
      const cleanup = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        session.off("error", onError).off("close", onClose);
      };
      signal?.addEventListener("abort", onAbort);
      session.on("error", onError).on("close", onClose);
      session.once("remoteSettings", () => {
        cleanup();
        session.setLocalWindowSize(windowSize * 2);
        resolve(new Connection(address, session));
      });
      return undefined;
    });
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
          message: `lost the connection to the BuildKit daemon at ${this.address.text}${this.#lost instanceof Error ? `: ${reason(this.#lost)}` : ""}`,
          at: [],
          hint: "look into the daemon's log; steps that were finished are cached, so a new run goes on from there",
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
  if (address.kind === "unix") return "http://localhost";
  const host = address.tls?.serverName ?? address.host;
  return `${address.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

function dial(address: Address): net.Socket | tls.TLSSocket {
  if (address.kind === "unix") return net.connect(address.path);
  const socket = net.connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 });
  if (address.tls === undefined) return socket;
  const { ca, cert, key, serverName } = address.tls;
  return tls.connect({
    socket,
    ALPNProtocols: ["h2"],
    servername: serverName ?? address.host,
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    ...(cert === undefined ? {} : { cert: Buffer.from(cert) }),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
  });
}

function noDaemon(address: Address, cause: unknown): UserError {
  return new UserError(
    3,
    [
      {
        code: "no-daemon",
        message: `cannot connect to a BuildKit daemon at ${address.text}: ${reason(cause)}`,
        at: [],
        hint: "start buildkitd, or point --buildkit or BUILDKIT_HOST to one that runs",
      },
    ],
    { cause },
  );
}

/** System errors in words; everything else as it says itself. */
function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "ENOENT":
      return "there is no such socket";
    case "ECONNREFUSED":
      return "nothing listens there";
    case "EACCES":
      return "permission denied";
    case "ENOTFOUND":
      return "the host name is unknown";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "the host cannot be reached";
    case "ECONNRESET":
    case "EPIPE":
      return "the daemon closed it";
    case "ERR_HTTP2_ERROR":
      return "what listens there does not speak gRPC";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** The user stopped the run. */
export function interrupted(): UserError {
  return new UserError(130, [{ code: "interrupted", message: "interrupted", at: [] }]);
}
