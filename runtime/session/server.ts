// The session: an HTTP/2 server inside Control.Session on which the daemon calls us for files, secrets, logins and images.
import { randomUUID } from "node:crypto";
import http2 from "node:http2";
import { UserError } from "../../compiler/diagnostic.ts";
import { Code, RpcError } from "../grpc/status.ts";
import { serveAuth } from "./auth.ts";
import { Call, readOne } from "./call.ts";
import { type ContentStores, serveContent } from "./content.ts";
import { RefusedSecrets, serveSecrets } from "./secrets.ts";
import { sendFiles } from "./send.ts";
import type { SessionServices } from "./services.ts";
import { serveCheckAgent, serveForwardAgent } from "./ssh.ts";
import { Tunnel } from "./tunnel.ts";

/** The one thing that the session needs of a connection. */
export interface Dialer {
  duplex(path: string, metadata: Readonly<Record<string, string | string[]>>): http2.ClientHttp2Stream;
}

/** Takes what one exporter sends: a directory's Receiver, or an ArchiveReceiver. */
export interface Incoming {
  receive(call: Call): Promise<void>;
}

/** Where the results of a build's exporters go. */
export interface SessionOutputs {
  /** By the exporter's index; those that are not here go to the services' `receiver`. */
  readonly exporters: ReadonlyMap<number, Incoming>;
  readonly stores: ContentStores;
}

const noOutputs: SessionOutputs = { exporters: new Map(), stores: new Map() };

const windowSize = 16 << 20;

type Handler = (call: Call, session: Session) => Promise<void> | void;

const handlers: Readonly<Record<string, Handler>> = {
  "/grpc.health.v1.Health/Check": (call) => answer(call, async () => Buffer.from([8, 1])), // status SERVING
  "/moby.filesync.v1.FileSync/DiffCopy": (call, session) => sendFiles(call, session.services, (error) => session.fail(error)),
  "/moby.filesync.v1.FileSend/DiffCopy": (call, session) => receiveFiles(call, session),
  "/moby.buildkit.secrets.v1.Secrets/GetSecret": (call, session) =>
    answer(call, (request) => serveSecrets(session.services, request, session.refusedSecrets)),
  "/moby.sshforward.v1.SSH/CheckAgent": (call, session) => answer(call, (request) => serveCheckAgent(session.services, request)),
  "/moby.sshforward.v1.SSH/ForwardAgent": (call, session) => serveForwardAgent(call, session.services),
  "/moby.filesync.v1.Auth/Credentials": (call, session) => answer(call, (request) => serveAuth(session.services, "Credentials", request)),
  "/moby.filesync.v1.Auth/FetchToken": (call, session) => answer(call, (request) => serveAuth(session.services, "FetchToken", request)),
  "/moby.filesync.v1.Auth/GetTokenAuthority": (call, session) =>
    answer(call, (request) => serveAuth(session.services, "GetTokenAuthority", request)),
  "/moby.filesync.v1.Auth/VerifyTokenAuthority": (call, session) =>
    answer(call, (request) => serveAuth(session.services, "VerifyTokenAuthority", request)),
  ...Object.fromEntries(
    ["Info", "Update", "List", "Delete", "Read", "Status", "ListStatuses", "Write", "Abort"].map((method): [string, Handler] => [
      `/containerd.services.content.v1.Content/${method}`,
      (call, session) => serveContent(call, session.services, session.outputs.stores),
    ]),
  ),
};

/** Codes of failures that a build can go on after: a login that only a cache needed. */
const optional: ReadonlySet<string> = new Set(["registry-token", "credential-helper"]);

/** One open session. Errors of our own side (a file that cannot be read, a full disk) are kept: they say more than the daemon's echo of them. */
export class Session {
  readonly id: string;
  readonly services: SessionServices;
  readonly outputs: SessionOutputs;
  readonly refusedSecrets: RefusedSecrets = new RefusedSecrets();
  readonly #failures: UserError[] = [];
  readonly #tunnel: Tunnel;
  readonly #handshake: NodeJS.Immediate;
  #server: http2.ServerHttp2Session | undefined;

  constructor(dialer: Dialer, services: SessionServices, outputs: SessionOutputs = noOutputs) {
    this.id = newId();
    this.services = services;
    this.outputs = outputs;
    this.#tunnel = new Tunnel(dialer.duplex("/moby.buildkit.v1.Control/Session", sessionMetadata(this.id, services)));
    this.#tunnel.on("error", () => {}); // "close" follows
    // A build that is used at once sends what it asks for first: the daemon reads it meanwhile.
    this.#handshake = setImmediate(() => {
      if (!this.#tunnel.destroyed) this.#server = this.#serve();
    });
  }

  #serve(): http2.ServerHttp2Session {
    const server = http2.performServerHandshake(this.#tunnel, {
      settings: { initialWindowSize: windowSize, maxFrameSize: 1 << 20, maxHeaderListSize: 1 << 24 },
      maxHeaderListPairs: 1_000_000, // every include pattern is a header
      maxSessionMemory: 1000,
    });
    server.on("error", () => {}); // "close" follows
    server.setLocalWindowSize(windowSize * 2);
    server.on("stream", (stream, headers, _flags, ...rest) => {
      // A call that came in while the session was closed has nobody left to answer.
      if (stream.destroyed) return;
      // The raw headers are passed but not typed: https://nodejs.org/api/http2.html#event-stream
      const raw = (rest as unknown as [readonly string[] | undefined])[0] ?? [];
      this.#dispatch(new Call(headers[":path"] ?? "", stream, raw));
    });
    return server;
  }

  /** Remembers what went wrong on this side. */
  fail(error: UserError): void {
    this.#failures.push(error);
  }

  /** The failure of this side that made the daemon fail with `text`: the daemon repeats our words; else the first one that no build survives. */
  failureBehind(text: string): UserError | undefined {
    const repeated = this.#failures.find((failure) => text.includes(failure.message));
    return repeated ?? this.#failures.find((failure) => !optional.has(failure.diagnostics[0]?.code ?? ""));
  }

  /** Ends the session. Call it only when the solve and its status stream have ended. */
  close(): void {
    clearImmediate(this.#handshake);
    if (this.#server?.destroyed === false) this.#server.destroy();
    this.#tunnel.destroy();
  }

  #dispatch(call: Call): void {
    const handler = handlers[call.path];
    if (handler === undefined) {
      call.end(Code.unimplemented, `${call.path} is not served`);
      return;
    }
    Promise.resolve(handler(call, this)).catch((error: unknown) => {
      if (error instanceof UserError) this.fail(error);
      endWith(call, error);
    });
  }
}

/** Session ids and build refs look like BuildKit's own: 25 characters, base 36. Node makes UUIDs in advance, many at a time. */
export function newId(): string {
  return BigInt(`0x${`${randomUUID()}${randomUUID()}`.replaceAll("-", "")}`)
    .toString(36)
    .slice(-25);
}

async function answer(call: Call, respond: (request: Buffer) => Promise<Uint8Array>): Promise<void> {
  void call.send(await respond(await readOne(call)));
  call.end(Code.ok);
}

async function receiveFiles(call: Call, session: Session): Promise<void> {
  const id = Number(call.metadata("buildkit-attachable-exporter-id")[0] ?? "0");
  const receiver = session.outputs.exporters.get(id) ?? session.services.receiver;
  if (receiver === undefined) throw new RpcError(Code.failedPrecondition, "nothing is saved by this job");
  await receiver.receive(call);
}

function endWith(call: Call, error: unknown): void {
  if (error instanceof RpcError) call.end(error.code, error.message);
  else call.end(Code.unknown, error instanceof Error ? error.message : String(error));
}

function sessionMetadata(id: string, services: SessionServices): Record<string, string | string[]> {
  const printable = /^[\x21-\x7e][\x20-\x7e]*$/;
  return {
    "x-docker-expose-session-uuid": id,
    "x-docker-expose-session-sharedkey": printable.test(services.sharedKey) ? services.sharedKey : "",
    ...(printable.test(services.name) ? { "x-docker-expose-session-name": services.name } : {}),
    "x-docker-expose-session-grpc-method": Object.keys(handlers),
  };
}
