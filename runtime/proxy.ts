// Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as the cue and docker commands read them.
import net from "node:net";
import { inputError } from "../compiler/diagnostic.ts";
import type { Environment } from "./directories.ts";

/** The proxy for a URL; undefined when its server is asked directly. Throws UserError (2) `bad-proxy`. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const names = url.protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const name = names.find((one) => (env[one] ?? "") !== "");
  if (name === undefined || isDirect(url, env["NO_PROXY"] || env["no_proxy"] || "")) return undefined;
  const text = env[name] as string;
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const proxy = URL.canParse(written) ? new URL(written) : undefined;
  if (proxy !== undefined && (proxy.protocol === "http:" || proxy.protocol === "https:") && proxy.hostname !== "") return proxy;
  throw inputError({
    code: "bad-proxy",
    // A proxy's address may hold a password.
    message: `Cannot use the proxy in ${name}: it is no http:// or https:// address`,
    at: [],
    hint: `Set ${name} to http://HOST:PORT, or list the host in NO_PROXY`,
  });
}

/** This machine is never asked through a proxy, nor is what NO_PROXY lists: hosts, `.domain`, addresses, networks, each with a port or without. */
function isDirect(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const kind = net.isIP(host);
  if (host === "localhost" || isLoopback(host, kind)) return true;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry === "*" || (entry !== "" && covers(entry, host, kind, port)));
}

function isLoopback(host: string, kind: number): boolean {
  return kind === 4 ? host.startsWith("127.") : kind === 6 && host === "::1";
}

function covers(entry: string, host: string, kind: number, port: string): boolean {
  const network = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (network) return kind !== 0 && inNetwork(host, kind, network[1] as string, Number(network[2]));
  if (net.isIP(entry) !== 0) return entry === host;
  const [, name = "", wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const plain = name.replace(/^\[|\]$/g, "").replace(/^\*(?=\.)/, "");
  // `example.com` means the domains below it, too; `.example.com` only these.
  return plain.startsWith(".") ? host.endsWith(plain) : host === plain || (kind === 0 && host.endsWith(`.${plain}`));
}

function inNetwork(host: string, kind: number, base: string, prefix: number): boolean {
  if (net.isIP(base) !== kind || prefix > (kind === 4 ? 32 : 128)) return false;
  const network = new net.BlockList();
  network.addSubnet(base, prefix, kind === 4 ? "ipv4" : "ipv6");
  return network.check(host, kind === 4 ? "ipv4" : "ipv6");
}
