// Opens the stream to a daemon, whatever kind of address it has. What is spoken over it is the transport's business.
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Environment } from "../directories.ts";
import type { Address, DockerAddress, Endpoint } from "./address.ts";
import { parseAddress, type TcpAddress } from "./address.ts";
import { dialCommand } from "./command.ts";
import { askVersion, expectsDocker, findDocker, upgrade } from "./docker.ts";
import { asksForTls, badTls, readTls, type TlsSettings } from "./tls.ts";

export interface ResolveOptions {
  /** Programs that lead to a daemon (ssh, docker, …) get it, too. */
  readonly env: Environment;
  /** Where relative paths start; default process.cwd(). */
  readonly cwd?: string;
  /** What the flags say about TLS; the environment may say more. */
  readonly tls?: TlsSettings | undefined;
}

/** An address with all that is needed to dial it. Throws UserError (exit 2) `bad-address`, `bad-tls`, `no-docker-context`. */
export async function resolveAddress(text: string, options: ResolveOptions): Promise<Address> {
  const address = parseAddress(text);
  const flags = options.tls ?? {};
  if (address.kind === "tcp") {
    const tlsOptions = await readTls(flags, options.env, options.cwd);
    return tlsOptions === undefined ? address : { ...address, tls: tlsOptions };
  }
  if (asksForTls(flags)) {
    throw badTls(`${text} is not reached by TCP`, "Leave the --tls flags out, or use a tcp:// address");
  }
  if (address.kind === "docker")
    return withEnv({ ...address, endpoint: address.endpoint ?? (await findDocker(text, options.env, options.cwd)) }, options.env);
  return withEnv(address, options.env);
}

/** Programs on the way to a daemon get the same variables as everything else. */
function withEnv<A extends Address>(address: A, env: Environment): A {
  if (address.kind === "command") return { ...address, env };
  if (address.kind === "docker" && address.endpoint?.kind === "command") return { ...address, endpoint: { ...address.endpoint, env } };
  return address;
}

/**
 * The stream may not be connected yet: what goes wrong later destroys it with the error. Rejects with what went wrong before, or
 * when `signal` aborts.
 */
export async function dial(address: Address, signal: AbortSignal): Promise<Duplex> {
  if (address.kind !== "docker") return dialEndpoint(address, "h2");
  if (address.endpoint === undefined) throw new Error("the address was not resolved");
  const stream = dialEndpoint(address.endpoint, "http/1.1");
  try {
    return await upgrade(stream, signal);
  } catch (error) {
    // A program's own words tell more than the broken request.
    const said = stream.errored ?? error;
    stream.on("error", () => undefined);
    stream.destroy();
    throw said;
  }
}

/** Whether the Docker that the `docker` command would use is there and has a BuildKit. Waits some seconds at most. */
export async function dockerAnswers(env: Environment, cwd = ""): Promise<boolean> {
  try {
    if (!(await expectsDocker(env, cwd))) return false;
    const stream = await dial(await resolveAddress("docker://", { env, cwd }), AbortSignal.timeout(5_000));
    stream.on("error", () => undefined);
    stream.destroy();
    return true;
  } catch {
    return false;
  }
}

/** The version of a Docker daemon, e.g. `20.10.24`; undefined when it does not tell within some seconds. */
export async function dockerVersion({ endpoint }: DockerAddress): Promise<string | undefined> {
  if (endpoint === undefined) return undefined;
  const stream = dialEndpoint(endpoint, "http/1.1");
  stream.on("error", () => undefined);
  return askVersion(stream, AbortSignal.timeout(5_000));
}

/** `protocol` is what TLS announces: a server that knows both would else begin with the wrong one. */
function dialEndpoint(endpoint: Endpoint, protocol: "h2" | "http/1.1"): Duplex {
  switch (endpoint.kind) {
    case "unix":
      return net.connect(endpoint.path);
    case "tcp":
      return dialTcp(endpoint, protocol);
    case "command":
      return dialCommand(endpoint);
  }
}

function dialTcp({ host, port, tls: options }: TcpAddress, protocol: string): net.Socket {
  const target = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 };
  if (options === undefined) return net.connect(target);
  const { ca, cert, key, serverName } = options;
  const name = serverName ?? host;
  return tls.connect({
    ...target,
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    ...(cert === undefined ? {} : { cert: Buffer.from(cert) }),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    ALPNProtocols: [protocol],
    // SNI takes names only; an IP address is still checked against the certificate.
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, theirs) => tls.checkServerIdentity(name, theirs),
  });
}
