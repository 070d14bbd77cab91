// Where a daemon is reached: parses addresses as BuildKit's own tools write them, and `docker://` for the one inside Docker.
import { inputError } from "../../compiler/diagnostic.ts";
import type { Environment } from "../directories.ts";

/** A parsed address. `text` is what the user wrote, for messages. */
export type Address = Endpoint | DockerAddress;

/** What a stream can be opened to. */
export type Endpoint = UnixAddress | TcpAddress | CommandAddress;

export interface UnixAddress {
  readonly kind: "unix";
  readonly text: string;
  readonly path: string;
}

export interface TcpAddress {
  readonly kind: "tcp";
  readonly text: string;
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsOptions;
}

/** A program whose stdin and stdout are the connection: `docker exec -i NAME buildctl dial-stdio`. */
export interface CommandAddress {
  readonly kind: "command";
  readonly text: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Variables of the program; without them those of this process. */
  readonly env?: Environment;
}

/** The BuildKit inside a Docker daemon. Without `endpoint`, the Docker that the `docker` command would use. */
export interface DockerAddress {
  readonly kind: "docker";
  readonly text: string;
  readonly endpoint?: Endpoint;
}

/** Certificates for TLS, as PEM; without `ca` those that Node trusts. */
export interface TlsOptions {
  readonly ca?: Uint8Array;
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
  /** The name that the daemon's certificate must have; without it the host of the address. */
  readonly serverName?: string;
}

type Parser = (text: string, rest: Rest) => Address;

/** What follows `SCHEME://`. */
interface Rest {
  readonly all: string;
  readonly host: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

const parsers: Readonly<Record<string, Parser>> = {
  unix: parseUnix,
  tcp: parseTcp,
  "docker-container": parseDockerContainer,
  "podman-container": (text, rest) => dialStdio(text, "podman", ["exec", "-i", container(text, rest, [])]),
  "nerdctl-container": parseNerdctlContainer,
  "kube-pod": parseKubePod,
  ssh: parseSsh,
  docker: parseDocker,
};

/** Throws UserError (exit 2) with code `bad-address`. */
export function parseAddress(text: string): Address {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text);
  if (match === null) throw badAddress(text, "it has no scheme");
  const scheme = (match[1] as string).toLowerCase();
  const parse = Object.hasOwn(parsers, scheme) ? parsers[scheme] : undefined;
  if (parse === undefined) throw badAddress(text, `the scheme ${scheme}:// is unknown`);
  return parse(text, splitRest(match[2] as string));
}

function splitRest(all: string): Rest {
  const [, host = "", path = "", query = ""] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?/.exec(all) ?? [];
  return { all, host, path, query: new Map(new URLSearchParams(query)) };
}

function parseUnix(text: string, { all }: Rest): UnixAddress {
  if (all === "") throw badAddress(text, "it has no path");
  return { kind: "unix", text, path: all };
}

function parseTcp(text: string, { all }: Rest): TcpAddress {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]/]+)):(\d+)\/?$/i.exec(all);
  if (match === null) throw badAddress(text, "it must be tcp://HOST:PORT");
  return { kind: "tcp", text, host: (match[1] ?? match[2]) as string, port: portOf(text, match[3] as string) };
}

function portOf(text: string, digits: string): number {
  const port = Number(digits);
  if (port < 1 || port > 65535) throw badAddress(text, `there is no port ${digits}`);
  return port;
}

/** Runs `buildctl dial-stdio` in a container; the argument lists are those of BuildKit's own helpers. */
function dialStdio(text: string, program: string, args: readonly string[]): CommandAddress {
  return { kind: "command", text, program, args: [...args, "buildctl", "dial-stdio"] };
}

function parseDockerContainer(text: string, rest: Rest): CommandAddress {
  const name = container(text, rest, ["context"]);
  const context = rest.query.get("context") ?? "";
  return dialStdio(text, "docker", [...(context === "" ? [] : [`--context=${context}`]), "exec", "-i", name]);
}

function parseNerdctlContainer(text: string, rest: Rest): CommandAddress {
  const name = container(text, rest, ["namespace"]);
  const namespace = rest.query.get("namespace") ?? "";
  return dialStdio(text, "nerdctl", ["exec", ...(namespace === "" ? [] : ["--namespace", namespace]), "-i", name]);
}

function container(text: string, rest: Rest, options: readonly string[]): string {
  checkParts(text, rest, options);
  if (rest.host === "") throw badAddress(text, "it has no container");
  // Whatever else would be taken for a flag of the program, or is no name that it gives.
  if (!/^[a-z0-9][a-z0-9_.-]*$/i.test(rest.host)) throw badAddress(text, `${JSON.stringify(rest.host)} is no name of a container`);
  return rest.host;
}

function parseKubePod(text: string, rest: Rest): CommandAddress {
  checkParts(text, rest, ["context", "namespace", "container"]);
  if (rest.host === "") throw badAddress(text, "it has no pod");
  const identifier = (what: string, name: string): string => {
    if (name !== "" && !/^[a-z0-9.][-a-z0-9.]*$/.test(name)) throw badAddress(text, `${JSON.stringify(name)} is no name of a ${what}`);
    return name;
  };
  const pod = identifier("pod", rest.host);
  const namespace = identifier("namespace", rest.query.get("namespace") ?? "");
  const inside = identifier("container", rest.query.get("container") ?? "");
  const context = rest.query.get("context") ?? "";
  return dialStdio(text, "kubectl", [`--context=${context}`, `--namespace=${namespace}`, "exec", `--container=${inside}`, "-i", pod, "--"]);
}

function parseSsh(text: string, rest: Rest): CommandAddress {
  checkParts(text, { ...rest, path: "" }, []);
  const socket = rest.path === "/" ? "" : rest.path;
  const remote = ["buildctl", ...(socket === "" ? [] : ["--addr", `unix://${socket}`]), "dial-stdio"];
  return { kind: "command", text, program: "ssh", args: [...sshTarget(text, rest.host), ...remote] };
}

/** Arguments of ssh up to the host: `[user@]host[:port]`. */
function sshTarget(text: string, target: string): string[] {
  const match = /^(?:([^@]*)@)?(?:\[([0-9a-f:.%]+)\]|([^:@[\]]+))(?::(\d+))?$/i.exec(target);
  if (match === null) throw badAddress(text, "it must be ssh://[USER@]HOST[:PORT][/SOCKET]");
  const [, user = "", ip, name, port] = match;
  if (user.includes(":")) throw badAddress(text, "a password in it would be seen by everybody: use a key");
  return [
    ...(user === "" ? [] : ["-l", decodeURIComponent(user)]),
    ...(port === undefined ? [] : ["-p", String(portOf(text, port))]),
    "--",
    (ip ?? name) as string,
  ];
}

function parseDocker(text: string, rest: Rest): DockerAddress {
  checkParts(text, { ...rest, path: "" }, []);
  if (rest.host !== "") return { kind: "docker", text, endpoint: parseTcp(text, { ...rest, all: rest.host + rest.path }) };
  if (rest.path !== "" && rest.path !== "/") return { kind: "docker", text, endpoint: { kind: "unix", text, path: rest.path } };
  return { kind: "docker", text };
}

/** An endpoint of the Docker API, as DOCKER_HOST and Docker's contexts write it. `text` is for messages. */
export function parseDockerHost(text: string, host: string): Endpoint {
  const [, scheme = "", all = ""] = /^([a-z]+):\/\/(.*)$/i.exec(host) ?? [];
  if (scheme === "unix") return { ...parseUnix(text, splitRest(all)), text };
  if (scheme === "tcp" || scheme === "http" || scheme === "https") return parseTcp(text, splitRest(all));
  if (scheme === "ssh") {
    const { host: target } = splitRest(all);
    return { kind: "command", text, program: "ssh", args: [...sshTarget(text, target), "docker", "system", "dial-stdio"] };
  }
  throw badAddress(text, `Docker is at ${JSON.stringify(host)}, which is no address that dagger knows`);
}

/** A path or a query that would be ignored is a mistake. */
function checkParts(text: string, { path, query }: Rest, options: readonly string[]): void {
  if (path !== "" && path !== "/") throw badAddress(text, `nothing may follow the name: ${path}`);
  for (const name of query.keys()) {
    if (!options.includes(name)) {
      throw badAddress(text, `it takes ${options.length === 0 ? "no options" : `the options ${options.join(", ")}`}, and not ${name}`);
    }
  }
}

function badAddress(text: string, why: string): Error {
  return inputError({
    code: "bad-address",
    message: `Cannot use "${text}" as the address of a BuildKit daemon: ${why}`,
    at: [],
    hint: "Write unix:///PATH, tcp://HOST:PORT, docker://, docker-container://NAME, podman-container://NAME, nerdctl-container://NAME, kube-pod://POD or ssh://HOST",
  });
}
