// A token server as Docker's specification wants it, on loopback, for registries that tests start.
import { createPrivateKey, randomBytes, sign, X509Certificate } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type net from "node:net";

/** The one login that it takes. */
interface Login {
  readonly username: string;
  readonly password: string;
}

export interface TokenServer {
  readonly realm: string;
  /** Who asked, how: `ours POST password`, `daemon GET basic`. */
  readonly requests: string[];
  /** Whether it takes POST. */
  post: boolean;
  issue(scopes: readonly string[]): string;
  stop(): Promise<void>;
}

/** A token server as Docker's specification wants it, whose tokens a real registry accepts. */
export async function startTokenServer(certificate: string, key: string, login: Login): Promise<TokenServer> {
  const chain = [new X509Certificate(fs.readFileSync(certificate)).raw.toString("base64")];
  const issue = (scopes: readonly string[]): string => {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",") };
    });
    const part = (data: object): string => Buffer.from(JSON.stringify(data)).toString("base64url");
    const claims = {
      iss: "test",
      sub: "me",
      aud: "the-registry",
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomBytes(8).toString("hex"),
      access,
    };
    const body = `${part({ typ: "JWT", alg: "ES256", x5c: chain })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(body), { key: createPrivateKey(fs.readFileSync(key)), dsaEncoding: "ieee-p1363" });
    return `${body}.${signature.toString("base64url")}`;
  };
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const url = new URL(request.url ?? "", "http://x");
    const who = /containerd|buildkit/i.test(request.headers["user-agent"] ?? "") ? "daemon" : "ours";
    const how = request.method === "POST" ? form.get("grant_type") : request.headers.authorization === undefined ? "anonymous" : "basic";
    server.requests.push(`${who} ${request.method} ${how}`);
    if (request.method === "POST" && !server.post) return void response.writeHead(404).end();
    const ok =
      request.method === "POST"
        ? form.get("refresh_token") === "the-identity" ||
          (form.get("username") === login.username && form.get("password") === login.password)
        : request.headers.authorization === `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
    if (!ok) return void response.writeHead(401).end();
    const scopes = request.method === "POST" ? (form.get("scope") ?? "").split(" ").filter(Boolean) : url.searchParams.getAll("scope");
    const token = issue(scopes.flatMap((scope) => scope.split(" ")));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, access_token: token, expires_in: 300 }));
  };
  const listener = http.createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const server: TokenServer = {
    realm: `http://127.0.0.1:${(listener.address() as net.AddressInfo).port}/token`,
    requests: [],
    post: true,
    issue,
    stop: () =>
      new Promise((done) => {
        listener.closeAllConnections();
        listener.close(() => done());
      }),
  };
  return server;
}
