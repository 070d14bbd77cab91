// Hand-written sources that the daemon fetches by itself: git and HTTP.
import type { Ref } from "../../compiler/graph/vertex.ts";
import { gitAttrs, gitIdentifier, httpAttrs, parseGitUrl } from "../../compiler/llb/index.ts";
import type { Case } from "./graph.ts";
import { of, source } from "./shorthand.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

const repo = "example.com/a/b.git";

function git(url: string, ref = "", subdir = "", options: Parameters<typeof gitAttrs>[1] = {}): Ref {
  const reading = parseGitUrl(url);
  if (!reading.ok) throw new Error(reading.problem);
  return source(gitIdentifier(reading.url, ref, subdir), gitAttrs(reading.url, options));
}

export const REMOTES: readonly Case[] = [
  of("a git repository", git(`https://${repo}`)),
  of("a git repository without scheme", git(repo)),
  of("a git repository at a ref and directory, whole", git(`https://${repo}`, "v1", "sub/dir", { keepGitDir: true })),
  of("a directory of a git repository", git(`https://${repo}`, "", "sub")),
  of("a git repository with a path that is not clean", git("http://user@example.com:8080//a/../ü b", "refs/heads/ä")),
  of("a git repository with secrets of its own", git(`https://${repo}`, "main", "", { authToken: "T", authHeader: "H" })),
  of("a git repository with a token only", git(`https://${repo}`, "", "", { authToken: "T", authHeader: "" })),
  of("a git repository with no secrets", git(`git://${repo}`, "", "", { authToken: "", authHeader: "" })),
  of(
    "a git repository over ssh",
    git(`git@${repo}`.replace("/", ":"), "", "", { ssh: "key", knownHosts: "example.com ssh-ed25519 AAAA\n" }),
  ),
  // Go then asks the server for its keys; at this port there is none.
  of("a git repository over ssh whose host is not known", git("ssh://git@127.0.0.1:9/a")),
  of(
    "a git commit with all else",
    git(`https://${repo}`, "main", "", {
      checksum: "0123456789012345678901234567890123456789",
      skipSubmodules: true,
      mtime: "commit",
      fetchByCommit: true,
      checkoutBundle: true,
    }),
  ),
  of(
    "a git bundle",
    git(`https://${repo}`, "", "", {
      bundle: `oci-layout+blob://docker.io/library/a@${DIGEST}`,
      bundleSession: "s",
      bundleStore: "t",
    }),
  ),
  of("a file by http", source("http://example.com/a?b=c", httpAttrs({}))),
  of(
    "a file by https with everything",
    source(
      "https://example.com/a.tgz",
      httpAttrs({
        checksum: DIGEST,
        filename: "ä.tgz",
        mode: 0o4600,
        uid: 1000,
        gid: 1001,
        authHeader: "auth",
        accept: "text/plain",
        userAgent: "agent/1",
        signature: { pubKey: "KEY", signature: "SIG" },
      }),
    ),
  ),
  of("a file by https for a group", source("https://example.com/", httpAttrs({ mode: 0, uid: 0, gid: 5, userAgent: "a" }))),
];
