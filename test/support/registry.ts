// Starts a private, real registry (Debian's docker-registry) for a test: plain, or with TLS and a login.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { freePort, listens, type ServerProcess, serverDir, startServer } from "./server.ts";

export interface TestRegistry extends ServerProcess {
  /** `127.0.0.1:PORT`, as it stands in image references. */
  readonly host: string;
}

export interface RegistryOptions {
  /** PEM files; without them it speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The one login that it takes. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Bearer tokens: the realm that fetches them, and the certificate (PEM file) of the key that signs them. */
  readonly token?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly bundle: string };
}

/** Needs the programs docker-registry and (with a login) htpasswd. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const dir = serverDir("registry");
  const port = await freePort();
  const config = path.join(dir, "config.yml");
  fs.writeFileSync(config, configText(dir, port, options));
  const server = await startServer({
    name: "docker-registry",
    program: "docker-registry",
    args: ["serve", config],
    dir,
    env: { OTEL_TRACES_EXPORTER: "none" },
    answers: () => listens(port),
  });
  return { ...server, host: `127.0.0.1:${port}` };
}

function configText(dir: string, port: number, { tls, login, token }: RegistryOptions): string {
  const http = { addr: `127.0.0.1:${port}`, ...(tls === undefined ? {} : { tls: { certificate: tls.cert, key: tls.key } }) };
  const auth: Record<string, object> = {};
  if (login !== undefined) {
    const htpasswd = path.join(dir, "htpasswd");
    fs.writeFileSync(htpasswd, execFileSync("htpasswd", ["-nbB", login.username, login.password]));
    auth["htpasswd"] = { realm: "test", path: htpasswd };
  }
  if (token !== undefined)
    auth["token"] = { realm: token.realm, service: token.service, issuer: token.issuer, rootcertbundle: token.bundle };
  return JSON.stringify({
    version: "0.1",
    log: { accesslog: { disabled: true }, level: "warn" },
    storage: { filesystem: { rootdirectory: path.join(dir, "data") }, delete: { enabled: true } },
    http,
    ...(Object.keys(auth).length === 0 ? {} : { auth }),
  });
}
