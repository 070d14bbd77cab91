// A TCP proxy in front of a real server that lets so many bytes of answers pass and then stalls: connections stay open, nothing more comes.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface StallingProxy {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** From now on each connection stalls after this many bytes of answers; Infinity lets everything pass, also what was held back. */
  stallAfter(bytes: number): void;
  /** Connections that are open. */
  readonly open: number;
  stop(): Promise<void>;
}

/** `target` is `127.0.0.1:PORT`. */
export async function startStallingProxy(target: string): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  const held = new Set<() => void>();
  let limit = Number.POSITIVE_INFINITY;
  const server = createServer((client) => {
    const [host = "", port = ""] = target.split(":");
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.end());
    client.pipe(upstream);
    let passed = 0;
    const carry = async (): Promise<void> => {
      for await (const part of upstream) {
        const chunk = part as Buffer;
        const now = chunk.subarray(0, Math.max(0, limit - passed));
        passed += chunk.length;
        client.write(now);
        if (now.length === chunk.length) continue;
        await new Promise<void>((release) => held.add(release));
        client.write(chunk.subarray(now.length));
      }
    };
    carry().catch(() => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stallAfter(bytes) {
      limit = bytes;
      if (bytes !== Number.POSITIVE_INFINITY) return;
      for (const release of held) release();
      held.clear();
    },
    get open() {
      return sockets.size / 2;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      for (const release of held) release();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
