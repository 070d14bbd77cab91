// Random options of sources, for random programs.
import { parseGitUrl } from "../../compiler/llb/index.ts";
import type { Json } from "./program.ts";
import type { Random } from "./seeded.ts";

export const DIGEST: string = `sha256:${"ab".repeat(32)}`;
const FRAGMENTS = ["", "main", "main:sub/../x", ":dir", "v1:", "a:b:c", "refs/heads/ü:/x y/", "%41", "ab12:."];

export function imageOptions(random: Random): Json {
  return {
    ...random.maybe("resolveMode", 50, () => random.pick(["default", "pull", "local"])),
    ...random.maybe("layerLimit", 20, () => random.below(9)),
    ...random.maybe("checksum", 20, () => DIGEST),
    ...random.maybe("internal", 20, () => random.chance(50)),
    ...random.maybe("resolveDigest", 50, () => random.chance(50)),
  };
}

export function local(random: Random): Json {
  const patterns = (): string[] => random.list(3, () => random.word());
  return {
    include: patterns(),
    exclude: patterns(),
    followPaths: patterns(),
    sharedKeyHint: random.word(),
    ...random.maybe("session", 20, () => random.word()),
    ...random.maybe("uniqueId", 20, () => "of this one"),
    ...random.maybe("differ", 30, () => ({ type: random.pick(["none", "metadata"]), required: random.chance(50) })),
    ...random.maybe("metadataOnly", 20, () => random.maybe("except", 60, patterns)),
  };
}

/** ssh URLs need known hosts: without them the official library would ask the host. */
export function git(random: Random): { url: string; fragment: string; options: Json } {
  const url = gitUrl(random);
  const secret = (): string => random.pick(["", "T", "GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"]);
  const flag = (name: string) => random.maybe(name, 20, () => random.chance(50));
  const options = {
    knownHosts: ["h ssh-ed25519 A", ...random.list(2, () => random.pick(["x\n", "y", "\n"]))],
    ...random.maybe("ref", 30, () => random.pick(["main", "ü", "a:b"])),
    ...random.maybe("subdir", 30, () => random.pick(["a/b", "/x/", "../y"])),
    ...random.maybe("authToken", 30, secret),
    ...random.maybe("authHeader", 30, secret),
    ...random.maybe("ssh", 30, () => random.word()),
    ...random.maybe("checksum", 20, () => "abcdef"),
    ...random.maybe("mtime", 20, () => random.pick(["checkout", "commit"])),
    ...random.maybe("bundle", 20, () => `docker-image+blob://x@${DIGEST}`),
    ...flag("keepGitDir"),
    ...flag("skipSubmodules"),
    ...flag("fetchByCommit"),
    ...flag("checkoutBundle"),
  };
  return { url, fragment: random.pick(FRAGMENTS), options };
}

/** Any form that git takes; those that the library refuses are tried again. */
function gitUrl(random: Random): string {
  for (;;) {
    const user = random.pick(["", "", "git@", "a:b@", "a%40b:c%2F@", "ü@", "a:@"]);
    const host = random.pick(["h", "H.example", "h:22", "[::1]", "[::1]:8080", "1.2.3.4"]);
    const path = random.pick([
      "",
      "/",
      "/r.git",
      "//a//b/",
      "/a/../b",
      "/~u/r",
      "/a%20b",
      "/ü",
      "/a b",
      "/%2e%2e/x",
      "/a+b;c,d@e",
      "/(x)[y]*",
    ]);
    const scp = `git@h.example:${random.pick(["r.git", "/abs/r", "a/../b", "ü x", ""])}`;
    const scheme = random.pick(["https", "http", "ssh", "git", "HTTPS"]);
    const url = random.pick([scp, `${host}${path}`, `${scheme}://${user}${host}${path}`, `${scheme}://${user}${host}${path}?a=b`]);
    if (parseGitUrl(url).ok) return url;
  }
}

export function http(random: Random): Json {
  const text = (): string => random.word();
  return {
    ...fileInfo(random),
    ...random.maybe("checksum", 30, () => DIGEST),
    ...random.maybe("authHeader", 20, text),
    ...random.maybe("accept", 20, text),
    ...random.maybe("userAgent", 20, text),
    ...random.maybe("signature", 20, () => ({ pubKey: random.word(), signature: random.word() })),
  };
}

export function fileInfo(random: Random): Json {
  return {
    ...random.maybe("filename", 30, () => random.word()),
    ...random.maybe("mode", 30, () => random.below(0o10000)),
    ...random.maybe("uid", 30, () => random.below(3)),
    ...random.maybe("gid", 30, () => random.below(3)),
  };
}
