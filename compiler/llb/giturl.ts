// URLs of git repositories, read as client/llb reads them: URLs with a scheme, scp-like ones, and bare ones, which mean https.
import { cleanPath } from "./paths.ts";

/** `remote` is what git is given: the URL without query and fragment. */
export interface GitUrl {
  readonly scheme: "http" | "https" | "ssh" | "git";
  /** With its port, without user. */
  readonly host: string;
  /** Decoded. */
  readonly path: string;
  readonly remote: string;
  /** A password written into the URL itself: everybody who sees the graph sees it. */
  readonly password: boolean;
  /** `?…` of the URL, without the mark; client/llb drops it. */
  readonly query: string;
  /** `#…` of the URL, without the mark; client/llb drops it. */
  readonly fragment: string;
}

/** `problem` ends the sentence `Invalid git remote …: `. */
export type GitUrlReading = { readonly ok: true; readonly url: GitUrl } | { readonly ok: false; readonly problem: string };

const SCHEMES = ["https", "http", "ssh", "git"] as const;
const SCP = /^([a-zA-Z0-9_-]+)@([a-zA-Z0-9.-]+):([^\n]*?)(?:\?([^\n]*?))?(?:#([^\n]*))?$/;
const IPV6 = /^\[[0-9a-fA-F:.]+\]$/;

export function parseGitUrl(text: string): GitUrlReading {
  if (/[\u0000-\u001f\u007f]/.test(text)) return problem("it has a control character");
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return parseScp(text) ?? parseUrl("https", text);
  const known = SCHEMES.find((candidate) => candidate === scheme);
  if (known === undefined) return problem(`git takes no scheme ${scheme}; it takes ${SCHEMES.join(", ")}`);
  return parseUrl(known, text.slice(scheme.length + 3));
}

/** `user@host:path`: always ssh. */
function parseScp(text: string): GitUrlReading | undefined {
  const match = SCP.exec(text);
  if (match === null) return undefined;
  const [, user = "", host = "", path = "", query = "", fragment = ""] = match;
  return { ok: true, url: { scheme: "ssh", host, path, remote: `${user}@${host}:${path}`, password: false, query, fragment } };
}

function parseUrl(scheme: GitUrl["scheme"], text: string): GitUrlReading {
  const [front, fragment] = cut(text, "#");
  const [address, query] = cut(front, "?");
  const slash = address.indexOf("/");
  const authority = slash < 0 ? address : address.slice(0, slash);
  const rawPath = slash < 0 ? "" : address.slice(slash);
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const user = at < 0 ? undefined : authority.slice(0, at);
  const wrong = checkHost(host) ?? (user === undefined ? undefined : checkUser(user));
  if (wrong !== undefined) return problem(wrong);
  const path = decode(rawPath);
  if (path === undefined || decode(fragment) === undefined) return problem("it has a % that starts no encoded character");
  const userPart = user === undefined ? "" : `${encodeUser(user)}@`;
  // client/llb keeps a lone question mark.
  const mark = front.endsWith("?") && query === "" ? "?" : "";
  const remote = `${scheme}://${userPart}${host}${encodePath(rawPath, path)}${mark}`;
  return { ok: true, url: { scheme, host, path, remote, password: user?.includes(":") === true, query, fragment } };
}

function problem(text: string): GitUrlReading {
  return { ok: false, problem: text };
}

function cut(text: string, mark: string): [front: string, rest: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function checkHost(host: string): string | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host);
  if (match === null) return `${JSON.stringify(host)} is no host[:port]`;
  const name = match[1] ?? "";
  if (name === "") return "it names no host";
  if (name.startsWith("[") ? IPV6.test(name) : /^[\w.~-]+$/.test(name)) return undefined;
  return `${JSON.stringify(name)} is no name of a host`;
}

function checkUser(user: string): string | undefined {
  if (!/^[\w\-.:~!$&'()*+,;=%@]*$/.test(user)) return "the user has characters that must be written as %XX";
  return decode(user) === undefined ? "the user has a % that starts no encoded character" : undefined;
}

/** The text without %XX; undefined when it is not well encoded. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** As Go's net/url writes a user: name and password apart, `$&+,;=` as they are. */
function encodeUser(user: string): string {
  const [name, password] = cut(user, ":");
  const encode = (part: string): string => percentEncode(decodeURIComponent(part), /[\w.~$&+,;=-]/);
  return user.includes(":") ? `${encode(name)}:${encode(password)}` : encode(name);
}

/** As Go's net/url writes a path: as it was written when that is a valid encoding, else encoded anew. */
function encodePath(raw: string, path: string): string {
  return /^[\w\-.~$&+,/:;=@!'()*[\]%]*$/.test(raw) ? raw : percentEncode(path, /[\w\-.~$&+,/:;=@]/);
}

function percentEncode(text: string, plain: RegExp): string {
  return Array.from(text, (char) => (plain.test(char) ? char : encodeByte(char))).join("");
}

function encodeByte(char: string): string {
  return Array.from(new TextEncoder().encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** `git://…` of a source op: free of the protocol, so that https and ssh share their cache. `subdir` is clean and relative. */
export function gitIdentifier({ host, path }: Pick<GitUrl, "host" | "path">, ref = "", subdir = ""): string {
  const rooted = cleanPath(`/${path}`);
  const fragment = ref === "" && subdir === "" ? "" : `#${ref}${subdir === "" ? "" : `:${subdir}`}`;
  return `git://${host}${rooted}${fragment}`;
}
