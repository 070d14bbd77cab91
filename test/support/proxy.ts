// A recording proxy in front of a buildkitd: counts the calls of each gRPC method, and can cut or slow the connection.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { performServerHandshake } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

/** Bytes pass through as they are; only the request headers are decoded, from a copy. */
export interface RecordingProxy {
  /** What --buildkit takes instead of the daemon's own address. */
  readonly address: string;
  /** Paths of all requests so far, e.g. `/moby.buildkit.v1.Control/Solve`. */
  readonly calls: readonly string[];
  /** How many requests there were for a method; the end of its path is enough: `Control/Solve`. */
  count(method: string): number;
  /** Bytes that passed: `up` to the daemon, `down` to the client. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Breaks all connections once this many further bytes passed in that direction (0: now), and refuses new ones. */
  cut(direction: "up" | "down", after: number): void;
  /** From now on every chunk waits this many milliseconds, in both directions. */
  delay(ms: number): void;
  stop(): Promise<void>;
}

/** Starts a proxy in front of a daemon on a unix socket (`unix:///…`). */
export async function startProxy(target: string): Promise<RecordingProxy> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-proxy-"));
  const path = join(dir, "proxy.sock");
  const calls: string[] = [];
  const bytes = { up: 0, down: 0 };
  const left = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY };
  const sockets = new Set<Socket>();
  let wait = 0;
  const isCut = (): boolean => left.up <= 0 || left.down <= 0;
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  /** Carries bytes one way, in order; reading stops while the other side does not take more. */
  const carry = async (from: Socket, to: Socket, direction: "up" | "down", see: (chunk: Buffer) => void): Promise<void> => {
    const gone = new AbortController();
    to.once("close", () => gone.abort());
    for await (const part of from) {
      const chunk = part as Buffer;
      if (wait > 0) await sleep(wait);
      const passing = chunk.subarray(0, Math.max(0, Math.min(chunk.length, left[direction])));
      left[direction] -= chunk.length;
      bytes[direction] += passing.length;
      see(passing);
      const drained = to.write(passing);
      if (isCut()) breakAll();
      if (!drained) await once(to, "drain", { signal: gone.signal });
    }
    to.end();
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isCut()) return void client.destroy();
    const daemon = connect({ path: target.replace(/^unix:\/\//, ""), allowHalfOpen: true });
    for (const socket of [client, daemon]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("close", () => daemon.destroy());
    daemon.on("close", () => client.destroy());
    const watch = requestPaths((call) => calls.push(call));
    carry(client, daemon, "up", watch).catch(() => daemon.destroy());
    carry(daemon, client, "down", () => undefined).catch(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  return {
    address: `unix://${path}`,
    calls,
    count: (method) => calls.filter((call) => call.endsWith(method)).length,
    bytes,
    cut(direction, after) {
      left[direction] = after;
      if (after <= 0) breakAll();
    },
    delay(ms) {
      wait = ms;
    },
    async stop() {
      breakAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const preface = 24;
const frameHeader = 9;
const frame = { headers: 1, resetStream: 3, settings: 4, continuation: 9 } as const;
const ackFlag = 1;

/**
 * Watches what a client sends and tells the path of each request. Headers are compressed with a state, so they go to a real
 * HTTP/2 decoder; it gets only the frames about headers, because it is no party to the flow control of the connection.
 */
function requestPaths(found: (path: string) => void): (chunk: Buffer) => void {
  const decoder = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const session = performServerHandshake(decoder);
  session.on("error", () => undefined);
  session.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    found(headers[":path"] ?? "");
  });
  let pending = Buffer.alloc(0);
  let greeted = false;
  let skip = 0;
  return (chunk) => {
    // Most of the bytes are data: they are counted off, not kept.
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    pending = Buffer.concat([pending, chunk.subarray(skipped)]);
    if (!greeted && pending.length >= preface) {
      greeted = true;
      decoder.push(pending.subarray(0, preface));
      pending = pending.subarray(preface);
    }
    while (greeted && pending.length >= frameHeader) {
      const length = frameHeader + pending.readUIntBE(0, 3);
      const type = pending[3];
      const isAck = type === frame.settings && ((pending[4] ?? 0) & ackFlag) !== 0;
      const kept = !isAck && (Object.values(frame) as number[]).includes(type ?? -1);
      if (kept && pending.length < length) return;
      if (kept) decoder.push(pending.subarray(0, length));
      skip = Math.max(0, length - pending.length);
      pending = pending.subarray(length);
    }
  };
}
