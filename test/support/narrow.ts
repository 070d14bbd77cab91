// A narrow way to a server on loopback: what is sent to it can come to a stand, as on a line that goes dead while it is used.
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "./server.ts";

export interface NarrowWay {
  /** `127.0.0.1:PORT`, instead of the server's own. */
  readonly host: string;
  /** Once this many further bytes were sent to the server, nothing passes any more, in both directions; settles then. */
  stopAfter(bytes: number): Promise<void>;
  /** Breaks the connections that came to a stand; new ones pass. */
  open(): void;
  stop(): Promise<void>;
}

export async function startNarrowWay(target: string): Promise<NarrowWay> {
  const port = await freePort();
  const clients = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let reached: () => void = () => undefined;
  const server = createServer((client) => {
    const [host = "", targetPort = ""] = target.split(":");
    const upstream = connect(Number(targetPort), host);
    clients.add(client);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("error", () => from.destroy());
      from.on("close", () => to.destroy());
      from.on("data", (chunk: Buffer) => {
        if (left <= 0) return;
        if (from === client) left -= chunk.length;
        if (left <= 0) reached();
        else to.write(chunk);
      });
    }
    client.on("close", () => clients.delete(client));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const open = (): void => {
    left = Number.POSITIVE_INFINITY;
    for (const client of clients) client.destroy();
  };
  return {
    host: `127.0.0.1:${port}`,
    stopAfter: (bytes) => {
      left = bytes;
      return new Promise((resolve) => {
        reached = resolve;
      });
    },
    open,
    async stop() {
      open();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
