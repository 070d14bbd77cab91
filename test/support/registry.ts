// Starts a private, real registry (Debian's docker-registry) for a test: plain, or with TLS and a login.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface TestRegistry {
  /** `127.0.0.1:PORT`, as it stands in image references. */
  readonly host: string;
  /** Stops the process as SIGSTOP does: it keeps its connections and says nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
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
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-registry-"));
  const port = await freePort();
  const config = path.join(dir, "config.yml");
  fs.writeFileSync(config, configText(dir, port, options));
  const log = fs.openSync(path.join(dir, "log"), "a");
  const child = spawn("docker-registry", ["serve", config], {
    stdio: ["ignore", log, log],
    env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
  });
  fs.closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const killNow = (): void => void child.kill("SIGKILL");
  process.once("exit", killNow);
  const stop = async (): Promise<void> => {
    killNow();
    await ended;
    process.removeListener("exit", killNow);
    fs.rmSync(dir, { recursive: true, force: true });
  };
  while (!(await listens(port))) {
    if (child.exitCode !== null || child.pid === undefined) {
      const text = fs.readFileSync(path.join(dir, "log"), "utf8");
      await stop();
      throw new Error(`docker-registry did not come up:\n${text}`);
    }
    await sleep(20);
  }
  return { host: `127.0.0.1:${port}`, freeze: () => void child.kill("SIGSTOP"), thaw: () => void child.kill("SIGCONT"), stop };
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

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
