// Names as client/llb writes them: paths, owners, platforms, references, attributes. test/llb-oracle compares many more with Go.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cleanPath,
  formatPlatform,
  goJson,
  imageAttrs,
  localAttrs,
  normalizePlatform,
  normalizeReference,
  ociLayoutAttrs,
  parseOwner,
  parsePlatform,
  resolveDest,
  resolvePath,
} from "./index.ts";

const HOST = { os: "linux", architecture: "amd64" };

test("paths are cleaned lexically", () => {
  const cases = {
    "": ".",
    "/": "/",
    "//": "/",
    "a//b/": "a/b",
    "./a/../..": "..",
    "/..": "/",
    "/../a": "/a",
    "a/../../b": "../b",
    "../..": "../..",
  };
  for (const [path, clean] of Object.entries(cases)) assert.equal(cleanPath(path), clean, path);
});

test("relative paths start at the working directory", () => {
  assert.equal(resolvePath("/src", "a/../b"), "/src/b");
  assert.equal(resolvePath("/src", "/a/"), "/a");
  assert.equal(resolvePath("/src", "../../.."), "/");
  assert.equal(resolvePath("", "a"), "/a");
});

test("a destination keeps the ending that means its inside", () => {
  const cases = { "a/": "/w/a/", "a/.": "/w/a/.", "/": "/", "/.": "/.", ".": "/w", "./": "/w/", "": "/w", "../..": "/" };
  for (const [dest, resolved] of Object.entries(cases)) assert.equal(resolveDest("/w", dest), resolved, dest);
});

test("owners are ids when they are numbers or root, else names", () => {
  assert.deepEqual(parseOwner("root:0"), { user: { id: 0 }, group: { id: 0 } });
  assert.deepEqual(parseOwner("me"), { user: { name: "me" } });
  assert.deepEqual(parseOwner("1000:us:x"), { user: { id: 1000 }, group: { name: "us:x" } });
  assert.deepEqual(parseOwner("4294967295"), { user: { name: "4294967295" } });
});

test("platforms have one spelling", () => {
  const cases = [
    ["linux/x86_64", "linux/amd64"],
    ["Linux/ARM64/v8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/arm/5", "linux/arm/v5"],
    ["linux/i386", "linux/386"],
    ["macos/arm64", "darwin/arm64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["arm64", "linux/arm64"],
    ["armhf", "linux/arm/v7"],
    ["windows", "windows/amd64"],
    ["linux", "linux/amd64"],
  ] as const;
  for (const [text, spelling] of cases) {
    const platform = parsePlatform(text, HOST);
    assert.ok(platform, text);
    assert.equal(formatPlatform(platform), spelling);
    assert.deepEqual(normalizePlatform(platform), platform);
  }
});

test("what is no platform is refused", () => {
  for (const text of ["", "/", "linux/", "/arm64", "a/b/c/d", "toaster", "linux arm64", "linux/ä"])
    assert.equal(parsePlatform(text, HOST), undefined, text);
});

test("image references say what is wrong with them", () => {
  const cases = {
    "": /must not be empty/,
    Debian: /must be lower case: "library\/Debian"/,
    "debian:": /the tag ""/,
    "debian:-a": /the tag "-a"/,
    "debian@sha256:12": /must have 64 lower-case hexadecimal digits after sha256:/,
    "debian@md5:12": /must start with sha256:/,
    "http://a/b": /not of the form/,
    [`a/${"b".repeat(256)}`]: /258 characters, at most 255/,
    ["0".repeat(64)]: /not of a registry/,
  };
  for (const [text, expected] of Object.entries(cases)) {
    const result = normalizeReference(text);
    assert.match(result.ok ? "fine" : result.problem, expected);
  }
});

test("image references are taken apart", () => {
  assert.deepEqual(normalizeReference("localhost:5000/a/b@sha256:" + "0".repeat(64)), {
    ok: true,
    reference: "localhost:5000/a/b@sha256:" + "0".repeat(64),
    domain: "localhost:5000",
    path: "a/b",
    digest: "sha256:" + "0".repeat(64),
  });
  assert.deepEqual(normalizeReference("debian"), {
    ok: true,
    reference: "docker.io/library/debian:latest",
    domain: "docker.io",
    path: "library/debian",
    tag: "latest",
  });
});

test("JSON in attributes is escaped as by Go", () => {
  assert.equal(goJson(["<a> & b", "\u2028"]), '["\\u003ca\\u003e \\u0026 b","\\u2028"]');
});

test("options that say nothing give no attributes", () => {
  assert.deepEqual(imageAttrs({ resolveMode: "default" }), {});
  assert.deepEqual(localAttrs({ include: [], exclude: [] }), {});
  assert.deepEqual(ociLayoutAttrs({}), {});
  assert.deepEqual(imageAttrs({ layerLimit: 0 }), { "image.layerlimit": "0" });
});
