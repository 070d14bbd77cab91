// URLs of git repositories and what sources are made of them. test/llb-oracle compares the same with Go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gitAttrs, gitIdentifier, httpAttrs, parseGitUrl } from "./index.ts";

function read(text: string) {
  const reading = parseGitUrl(text);
  assert.ok(reading.ok, reading.ok ? "" : `${text}: ${reading.problem}`);
  return reading.url;
}

test("https, ssh and scp-like URLs of one repository have one identifier", () => {
  for (const url of ["https://host/a/b.git", "ssh://git@host/a/b.git", "git@host:a/b.git", "host/a/b.git"]) {
    assert.equal(gitIdentifier(read(url), "v1", "dir"), "git://host/a/b.git#v1:dir", url);
  }
  assert.equal(gitIdentifier(read("https://host//a/../b")), "git://host/b");
  assert.equal(gitIdentifier(read("https://host"), "", "dir"), "git://host/#:dir");
});

test("what git cannot fetch is refused in words", () => {
  const cases = {
    "": /names no host/,
    "https://": /names no host/,
    "ftp://a/b": /takes no scheme ftp/,
    "svn+ssh://a/b": /no name of a host/,
    "https://a b/c": /no name of a host/,
    "https://a:b/c": /no host\[:port\]/,
    "https://a/%zz": /% that starts no encoded/,
    "https://a/\n": /control character/,
    "https://us er@a/b": /characters that must be written/,
  };
  for (const [url, words] of Object.entries(cases)) {
    const reading = parseGitUrl(url);
    assert.match(reading.ok ? "" : reading.problem, words, url);
  }
});

test("passwords, queries and fragments of a URL are told apart", () => {
  const { password, query, fragment, remote } = read("https://me:pw@host/r?x=1#v1:dir");
  assert.deepEqual(
    { password, query, fragment, remote },
    { password: true, query: "x=1", fragment: "v1:dir", remote: "https://me:pw@host/r" },
  );
  assert.equal(read("https://me@host/r").password, false);
});

test("a git source asks for ssh only when it goes over ssh", () => {
  assert.deepEqual(gitAttrs(read("https://host/r"), { ssh: "key", knownHosts: "host k" }), {
    "git.fullurl": "https://host/r",
    "git.authtokensecret": "GIT_AUTH_TOKEN",
    "git.authheadersecret": "GIT_AUTH_HEADER",
  });
  const attrs = gitAttrs(read("git@host:r"), { ssh: "key", knownHosts: "host k", signature: { pubKey: "K", requireSignedTag: true } });
  assert.equal(attrs["git.mountsshsock"], "key");
  assert.equal(attrs["git.knownsshhosts"], "host k");
  assert.equal(attrs["git.sig.pubkey"], "K");
  assert.equal(attrs["git.sig.requiresignedtag"], "true");
  assert.equal(attrs["git.sig.rejectexpired"], undefined);
});

test("an http source writes only what is asked for, and only permission bits", () => {
  assert.deepEqual(httpAttrs({}), {});
  assert.deepEqual(httpAttrs({ mode: 0o4755, uid: 0, gid: 3 }), { "http.perm": "0755", "http.gid": "3" });
});
