// Plays the daemon's side of one file transfer: a real HTTP/2 connection, over which a test sends whatever packets it likes.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FrameReader, frame } from "../../runtime/grpc/frame.ts";
import { Call } from "../../runtime/session/call.ts";
import { decodePacket, encodePacket, Mode, type Packet, PacketType, type Stat } from "../../runtime/session/packet.ts";
import { encodeStat } from "./packets.ts";

export interface Peer {
  /** Sends framed bytes. */
  send(...frames: readonly Uint8Array[]): void;
  /** The next packet from the other side; undefined when it has ended. */
  next(): Promise<Packet | undefined>;
  /** The gRPC status that the call ended with. */
  status(): Promise<{ code: number; message: string }>;
  /** Breaks the stream. */
  cut(): void;
  close(): Promise<void>;
}

/** Opens a call with `metadata` and hands its other end to `serve`, whose errors end the call as the session's would. */
export async function openCall(serve: (call: Call) => Promise<void>, metadata: http2.OutgoingHttpHeaders = {}): Promise<Peer> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-peer-"));
  // As much as the product's own sessions take.
  const server = http2.createServer({ maxSessionMemory: 1000 });
  server.on("stream", (stream, headers, _flags, ...rest) => {
    const call = new Call(headers[":path"] ?? "", stream, (rest as unknown as [string[]])[0]);
    serve(call).catch((error: unknown) => call.end(2, error instanceof Error ? error.message : String(error)));
  });
  server.listen(join(dir, "socket"));
  await once(server, "listening");
  const session = http2.connect("http://localhost", { path: join(dir, "socket"), maxSessionMemory: 1000 } as http2.ClientSessionOptions);
  const stream = session.request({ ":method": "POST", ":path": "/test", ...metadata });
  const packets: Packet[] = [];
  let ended = false;
  let wake = (): void => {};
  let trailers: http2.IncomingHttpHeaders = {};
  const reader = new FrameReader((message) => {
    packets.push(decodePacket(message));
    wake();
  });
  stream.on("data", (chunk: Buffer) => reader.push(chunk));
  stream.on("trailers", (received: http2.IncomingHttpHeaders) => {
    trailers = received;
  });
  stream.on("error", () => {});
  stream.on("end", () => stream.end()); // as a gRPC client does once it has the status
  const closed = new Promise<void>((resolve) => {
    stream.on("close", () => {
      ended = true;
      wake();
      resolve();
    });
  });
  return {
    send: (...frames) => {
      for (const bytes of frames) stream.write(bytes);
    },
    async next() {
      while (packets.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return packets.shift();
    },
    async status() {
      await closed;
      return { code: Number(trailers["grpc-status"]), message: decodeURIComponent(String(trailers["grpc-message"] ?? "")) };
    },
    cut: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    async close() {
      session.destroy();
      server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Framed packets. */
export const packets = {
  file: (path: string, more: Partial<Stat> = {}): Buffer => encodeStat({ path, mode: 0o644, size: 0, mtime: 0n, linkname: "", ...more }),
  dir: (path: string, more: Partial<Stat> = {}): Buffer => packets.file(path, { mode: (Mode.dir | 0o755) >>> 0, ...more }),
  symlink: (path: string, linkname: string): Buffer => packets.file(path, { mode: (Mode.symlink | 0o777) >>> 0, linkname }),
  data: (id: number, data: string | Buffer): Buffer => {
    const head = encodePacket(PacketType.data, id, data.toString());
    return frame(head);
  },
  end: (): Buffer => frame(Buffer.alloc(0)),
  finish: (): Buffer => frame(encodePacket(PacketType.finish)),
  error: (text: string): Buffer => frame(encodePacket(PacketType.error, 0, text)),
};
