// The ports of a daemon in another system, and its readiness as it is seen from within its container.
import type { PublishedPort, ReadyProbe, Workload } from "../../compiler/index.ts";
import type { TargetNode } from "./target.ts";

/** Its ports are those that its container publishes, the one that readiness tells, where it is about this machine, and those that the target says. */
export function daemonParts(daemon: Workload["daemon"], said: readonly number[]): Pick<TargetNode, "daemon" | "ports"> {
  if (daemon === undefined) return { ports: [] };
  const { ready, ports: published } = daemon;
  const own = ready === undefined ? undefined : localPort(ready);
  const leading = published.find(({ machine, protocol }) => machine === own && protocol === "tcp");
  const inside = ready !== undefined && leading !== undefined ? { ...daemon, ready: askedAt(ready, leading.container) } : daemon;
  const asked = leading ?? (own === undefined ? undefined : samePort(own));
  // Whoever waits for it asks at the first one.
  const ports = [...new Set([...(asked === undefined ? [] : [asked]), ...published])];
  for (const port of said)
    if (!ports.some(({ container, protocol }) => container === port && protocol === "tcp")) ports.push(samePort(port));
  return { daemon: inside, ports };
}

/** The port that readiness is asked at; undefined when it is not asked at one of this machine. */
export function localPort(ready: ReadyProbe): number | undefined {
  if (ready.kind !== "http" && ready.kind !== "tcp") return undefined;
  const { hostname, port, protocol } = addressOf(ready);
  if (!/^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/.test(hostname)) return undefined;
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function addressOf({ kind, what }: { readonly kind: string; readonly what: string }): URL {
  return new URL(kind === "http" ? what : `tcp://${what}`);
}

/** The port of this machine is another one in the container. */
function askedAt(ready: ReadyProbe, port: number): ReadyProbe {
  if (ready.kind === "tcp") return { ...ready, what: `127.0.0.1:${port}` };
  if (ready.kind !== "http") return ready;
  const { protocol, pathname, search } = addressOf(ready);
  return { ...ready, what: `${protocol}//127.0.0.1:${port}${pathname}${search}` };
}

/** Of a process of this machine. */
function samePort(port: number): PublishedPort {
  return { address: "127.0.0.1", machine: port, container: port, protocol: "tcp" };
}
