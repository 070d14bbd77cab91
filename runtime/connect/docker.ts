// The BuildKit inside a Docker daemon: which Docker that is, and the upgrade of an HTTP request that leads to it.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { join, resolve } from "node:path";
import type { Duplex } from "node:stream";
import { inputError } from "../../compiler/diagnostic.ts";
import { dockerConfigDir, type Environment } from "../directories.ts";
import { type Endpoint, parseDockerHost } from "./address.ts";
import { readDockerTls } from "./tls.ts";

const standardSocket = "/var/run/docker.sock";

/** Docker answered, but not with BuildKit. */
export class NoUpgradeError extends Error {}

/**
 * The Docker that the `docker` command would use: DOCKER_HOST, else the context of DOCKER_CONTEXT or of its config file, else the
 * standard socket. Relative directories start at `cwd` (default: the process's). Throws UserError (exit 2) `bad-address`, `no-docker-context`.
 */
export async function findDocker(text: string, env: Environment, cwd = ""): Promise<Endpoint> {
  const config = dockerConfigDir(env, cwd);
  const host = env.DOCKER_HOST ?? "";
  if (host !== "") {
    const wantsTls = (env.DOCKER_TLS_VERIFY ?? "") !== "" || host.startsWith("https://");
    return withTls(parseDockerHost(text, host), wantsTls ? resolve(cwd, env.DOCKER_CERT_PATH || config) : undefined);
  }
  const context = await currentContext(config, env);
  if (context === undefined) return { kind: "unix", text, path: standardSocket };
  const id = createHash("sha256").update(context).digest("hex");
  const tlsDir = join(config, "contexts/tls", id, "docker");
  const contextHost = await readContextHost(join(config, "contexts/meta", id, "meta.json"));
  if (contextHost === undefined) {
    const message = `Docker's context ${JSON.stringify(context)} does not exist`;
    throw inputError({ code: "no-docker-context", message, at: [], hint: "Choose another with DOCKER_CONTEXT or `docker context use`" });
  }
  return withTls(parseDockerHost(text, contextHost), existsSync(tlsDir) ? tlsDir : undefined);
}

/** Whether a Docker can be expected at all: something names one, or its standard socket is there. */
export async function expectsDocker(env: Environment, cwd?: string): Promise<boolean> {
  if ((env.DOCKER_HOST ?? "") !== "" || existsSync(standardSocket)) return true;
  return (await currentContext(dockerConfigDir(env, cwd), env)) !== undefined;
}

async function withTls(endpoint: Endpoint, dir: string | undefined): Promise<Endpoint> {
  return endpoint.kind === "tcp" && dir !== undefined ? { ...endpoint, tls: await readDockerTls(dir) } : endpoint;
}

/** Undefined for Docker's `default` context, which is the standard socket. */
async function currentContext(config: string, env: Environment): Promise<string | undefined> {
  const named = env.DOCKER_CONTEXT ?? "";
  const name = named === "" ? text(await readJson(join(config, "config.json")), "currentContext") : named;
  return name === undefined || name === "" || name === "default" ? undefined : name;
}

async function readContextHost(file: string): Promise<string | undefined> {
  return text(field(field(await readJson(file), "Endpoints"), "docker"), "Host");
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === "string" ? found : undefined;
}

/** Asks Docker to speak gRPC on this stream from now on. Rejects with NoUpgradeError when it does not, else with what broke. */
export function upgrade(stream: Duplex, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => stream,
      method: "POST",
      path: "/grpc",
      headers: { Host: "docker", Connection: "Upgrade", Upgrade: "h2c" },
      signal,
    });
    request.once("upgrade", (_response, socket, head) => {
      // What came with the answer belongs to HTTP/2 already.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once("response", (response) => {
      const why = response.statusCode === 404 ? "it has no BuildKit" : `it answers with HTTP status ${String(response.statusCode)}`;
      reject(new NoUpgradeError(why));
      response.destroy();
    });
    // Errors after the upgrade are the stream's, and its user listens for them.
    request.on("error", reject);
    request.end();
  });
}

/** The version of the Docker daemon at the other end of a stream, which is used up; undefined when it does not tell. */
export function askVersion(stream: Duplex, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.request({
      createConnection: () => stream,
      path: "/_ping",
      headers: { Host: "docker", Connection: "close" },
      signal,
    });
    request.once("response", (response) => {
      // e.g. `Docker/20.10.24+dfsg1 (linux)`
      resolve(/^Docker\/([^+\s]+)/.exec(String(response.headers["server"]))?.[1]);
      response.destroy();
    });
    request.on("error", () => resolve(undefined));
    request.end();
  });
}
