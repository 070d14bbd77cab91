// The keys of ssh hosts that this machine knows: the lines of known_hosts files that are about one host, as ssh itself finds them.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Finds the lines about `host` or `host:port` in the user's and the machine's files; undefined when there are none. Reads them once. */
export function knownHosts(env: Readonly<Record<string, string | undefined>>): (host: string) => string | undefined {
  let lines: readonly string[] | undefined;
  return (host) => {
    lines ??= readLines(env["HOME"] ?? homedir());
    const found = lines.filter((line) => isAbout(line, sshName(host)));
    return found.length === 0 ? undefined : `${found.join("\n")}\n`;
  };
}

function readLines(home: string): string[] {
  const ssh = (name: string): string => join(home, ".ssh", name);
  const files = [ssh("known_hosts"), ssh("known_hosts2"), "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
  return files.flatMap((file) => read(file).split(/\r?\n/)).filter((line) => line !== "" && !line.startsWith("#"));
}

/** A file that is not there, or not for this user, knows no host. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Other ports than 22 are part of the name: `[host]:2222`. */
function sshName(host: string): string {
  const match = /^(.*):(\d+)$/.exec(host);
  const name = (match?.[1] ?? host).replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return match === null || match[2] === "22" ? name : `[${name}]:${match[2]}`;
}

function isAbout(line: string, name: string): boolean {
  const words = line.trim().split(/\s+/);
  const patterns = (words[0]?.startsWith("@") ? words[1] : words[0]) ?? "";
  if (patterns.startsWith("|1|")) return isHashOf(patterns, name);
  const list = patterns.toLowerCase().split(",");
  if (list.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1), name))) return false;
  return list.some((pattern) => matches(pattern, name));
}

function isHashOf(hashed: string, name: string): boolean {
  const [, , salt = "", hash = ""] = hashed.split("|");
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

/** `*` and `?` are wildcards. */
function matches(pattern: string, name: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`).test(name);
}
