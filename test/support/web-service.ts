// A small HTTP server for tests, which answers as the test says and remembers what it was asked.
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebService {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What it was asked so far, oldest first. */
  readonly received: Received[];
  stop(): Promise<void>;
}

/** Starts a real HTTP server that answers as `answer` says: a status and a body. With `tls` (PEM), it speaks HTTPS. */
export async function startWebService(
  answer: (asked: Received) => { status?: number; body?: string },
  tls?: { readonly cert: string; readonly key: string },
): Promise<WebService> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("latin1");
      const asked = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
      received.push(asked);
      const { status = 200, body: text = "" } = answer(asked);
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${String((server.address() as AddressInfo).port)}`, received, stop };
}
