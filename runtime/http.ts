// HTTP requests of this side, to registries and token servers: through the proxies of the environment, which Node's `fetch` would ignore.
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import tls from "node:tls";
import type { Environment } from "./directories.ts";
import { proxyFor } from "./proxy.ts";

export interface HttpRequest {
  /** Without it GET, or POST when there is a form. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: URLSearchParams;
  readonly signal?: AbortSignal;
  /** In place of GET and POST, with these bytes; for servers that are not redirected from. */
  readonly method?: string;
  readonly body?: Uint8Array;
  /** PEM: who signs the server's certificate, in place of those that are trusted; and a certificate of our own. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** False gives redirects as they are. Default true. */
  readonly redirects?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** To be read to its end, or destroyed. */
  readonly body: Readable;
}

const maxRedirects = 10;

/** The first `max` bytes of an answer; `onChunk` is told of what has come so far. */
export async function readBody(body: Readable, max: number, onChunk?: (size: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    onChunk?.(size);
    if (size >= max) break;
  }
  return Buffer.concat(chunks).subarray(0, max);
}

/**
 * Sends one request and follows redirects; a login goes to the host it is meant for and to no other.
 * Rejects with Node's own errors, with the signal's reason, or with UserError (2) for a proxy that cannot be used.
 */
export async function httpRequest(url: URL, request: HttpRequest, env: Environment): Promise<HttpResponse> {
  let [at, next] = [url, request];
  for (let count = 0; ; count++) {
    const response = await send(at, next, env);
    const location = response.headers.location;
    const isRedirect = request.redirects !== false && [301, 302, 303, 307, 308].includes(response.statusCode ?? 0);
    if (!isRedirect || location === undefined) {
      return { status: response.statusCode ?? 0, headers: response.headers, body: response };
    }
    response.destroy();
    if (count === maxRedirects) throw new Error(`it redirects more than ${maxRedirects} times`);
    const target = URL.canParse(location, at.href) ? new URL(location, at.href) : undefined;
    if (target?.protocol !== "http:" && target?.protocol !== "https:") throw new Error(`it redirects to ${JSON.stringify(location)}`);
    next = redirected(next, at, target, response.statusCode ?? 0);
    at = target;
  }
}

function redirected({ form, headers = {}, signal, tls }: HttpRequest, from: URL, to: URL, status: number): HttpRequest {
  const { authorization, ...others } = headers;
  const kept = to.origin === from.origin && authorization !== undefined ? { ...others, authorization } : others;
  // A form holds a password: it is not sent on to another server.
  const sendsForm = form !== undefined && (status === 307 || status === 308);
  if (sendsForm && to.origin !== from.origin) throw new Error(`it redirects a login to ${to.host}`);
  return { headers: kept, ...(sendsForm && { form }), ...(signal && { signal }), ...(tls && { tls }) };
}

async function send(url: URL, request: HttpRequest, env: Environment): Promise<http.IncomingMessage> {
  const { headers = {}, form, signal, method = form === undefined ? "GET" : "POST" } = request;
  signal?.throwIfAborted();
  const proxy = proxyFor(url, env);
  const body = form === undefined ? request.body : Buffer.from(form.toString());
  const options: https.RequestOptions = {
    method,
    headers: {
      "user-agent": "dagger",
      ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      ...(body !== undefined && { "content-length": `${body.length}` }),
      ...headers,
    },
    ...(signal && { signal }),
    ...(url.protocol === "https:" && request.tls),
  };
  if (proxy === undefined) return sendDirect(() => (url.protocol === "https:" ? https : http).request(url, options), body);
  if (url.protocol === "https:") {
    const tunnel = await openTunnel(proxy, url, signal);
    const createConnection = (): Socket => tls.connect({ socket: tunnel, ...serverName(url), ...request.tls });
    return answerOf(https.request(url, { ...options, createConnection }), body);
  }
  const through = { ...options, headers: { host: url.host, ...options.headers, ...proxyLogin(proxy) }, path: url.href };
  return answerOf((proxy.protocol === "https:" ? https : http).request(originOf(proxy), through), body);
}

/** A connection that was kept open may have been closed at the other end just now: then once more on a new one. */
async function sendDirect(open: () => http.ClientRequest, body: Uint8Array | undefined): Promise<http.IncomingMessage> {
  const first = open();
  try {
    return await answerOf(first, body);
  } catch (error) {
    if (!first.reusedSocket || (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
    return sendDirect(open, body);
  }
}

function answerOf(request: http.ClientRequest, body: Uint8Array | undefined): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", reject);
    request.end(body);
  });
}

/** A connection to the server of `url` that the proxy has made. */
function openTunnel(proxy: URL, url: URL, signal: AbortSignal | undefined): Promise<Socket> {
  const target = `${url.hostname}:${url.port || "443"}`;
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === "https:" ? https : http).request(originOf(proxy), {
      method: "CONNECT",
      path: target,
      headers: { host: target, ...proxyLogin(proxy) },
      agent: false,
      ...(signal && { signal }),
    });
    request.once("connect", (response, socket: Socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy ${proxy.host} refuses to connect to ${target}, with status ${response.statusCode}`));
    });
    request.once("response", (response) => {
      response.destroy();
      reject(new Error(`the proxy ${proxy.host} refuses to connect to ${target}, with status ${response.statusCode}`));
    });
    request.once("error", (cause) => reject(new Error(`the proxy ${proxy.host} cannot be asked: ${cause.message}`, { cause })));
    request.end();
  });
}

/** Without its login, which `http.request` would send to the server as its own. */
function originOf(proxy: URL): URL {
  return new URL(proxy.origin);
}

function proxyLogin({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "" && password === "") return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` };
}

/** TLS knows no server names that are addresses. */
function serverName(url: URL): { readonly servername?: string; readonly host: string } {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return /^[\d.]+$|:/.test(host) ? { host } : { host, servername: host };
}
