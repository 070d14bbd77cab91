// What people write for sources, and what it is read as.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { at } from "../workspace/find.ts";
import { badName, type Source } from "./source.ts";
import { type NewSource, readWish } from "./wish.ts";

const parent: Source = {
  name: "pinata",
  kind: "git",
  location: "https://github.com/docker/pinata",
  tag: "main",
  path: "/v1",
  pin: "sha1:1",
  paused: true,
};

function read(location: string | undefined, more: Partial<NewSource> = {}): Omit<Source, "name"> {
  const { name: _, ...source } = readWish(
    { name: "x", ...(location === undefined ? {} : { location }), ...more },
    at("/shop"),
    "/shop/ci",
    [parent],
  );
  return source;
}

test("kinds are told by locations, and shortcuts are written out", () => {
  assert.deepEqual(read("docker/pinata", { kind: "github" }), { kind: "git", location: "https://github.com/docker/pinata" });
  assert.deepEqual(read("docker/pinata:beta12", { kind: "github" }), {
    kind: "git",
    location: "https://github.com/docker/pinata",
    tag: "beta12",
  });
  assert.deepEqual(read("https://example.com:8080/app.git:v1"), { kind: "git", location: "https://example.com:8080/app.git", tag: "v1" });
  assert.deepEqual(read("https://example.com/app.git#feature/x"), {
    kind: "git",
    location: "https://example.com/app.git",
    tag: "feature/x",
  });
  assert.deepEqual(read("git@example.com:team/app.git:v1"), { kind: "git", location: "git@example.com:team/app.git", tag: "v1" });
  assert.deepEqual(read("git@example.com:team/app.git"), { kind: "git", location: "git@example.com:team/app.git" });
  assert.deepEqual(read("ssh://git@example.com:22/app"), { kind: "git", location: "ssh://git@example.com:22/app" });
  assert.deepEqual(read("https://github.com/docker/pinata"), { kind: "git", location: "https://github.com/docker/pinata" });
  assert.deepEqual(read("../app", { kind: "git" }), { kind: "git", location: "app" });
  assert.deepEqual(read("team/app"), { kind: "docker", location: "team/app", tag: "latest" });
  assert.deepEqual(read("debian:bookworm"), { kind: "docker", location: "debian", tag: "bookworm" });
  assert.deepEqual(read("registry.example.com:5000/app:1"), { kind: "docker", location: "registry.example.com:5000/app", tag: "1" });
  assert.deepEqual(read("s3://bucket/a/b/"), { kind: "s3", location: "bucket", path: "/a/b" });
  assert.deepEqual(read("bucket", { kind: "S3", path: "a" }), { kind: "s3", location: "bucket", path: "/a" });
  assert.deepEqual(read("./out"), { kind: "path", location: "ci/out" });
  assert.deepEqual(read("/elsewhere/out"), { kind: "path", location: "/elsewhere/out" });
  assert.deepEqual(read(undefined), { kind: "path", location: ".dagger/state/sources/x" });
  assert.deepEqual(read("https://example.com/file.tgz"), { kind: "http", location: "https://example.com/file.tgz" });
  assert.deepEqual(read("https://example.com/list.json", { kind: "hockeyapp", build: "number" }), {
    kind: "release",
    location: "https://example.com/list.json",
    build: "number",
  });
});

test("a source of a source inherits what is not said, and its path is below", () => {
  const { kind, location } = parent;
  assert.deepEqual(read("pinata"), { kind, location, tag: "main", path: "/v1", parent: "pinata" });
  assert.deepEqual(read("pinata", { path: "/pitfall/", tag: "beta12" }), {
    kind,
    location,
    tag: "beta12",
    path: "/v1/pitfall",
    parent: "pinata",
  });
  assert.deepEqual(read("pinata", { path: "a/../b" }).path, "/v1/b");
});

const wrong: readonly (readonly [location: string | undefined, more: Partial<NewSource>, code: string])[] = [
  ["word", {}, "source-kind"],
  ["word", { kind: "gti" }, "source-kind"],
  ["e63b4e58", { kind: "hockeyapp" }, "bad-source"],
  ["word", { kind: "github" }, "bad-source"],
  ["pinata", { path: "../up" }, "bad-source"],
  ["./out", { tag: "v1" }, "bad-source"],
  ["https://example.com/x", { path: "/y" }, "bad-source"],
  ["https://example.com/x", { build: "id" }, "bad-source"],
  ["https://me:secret@example.com/app.git", {}, "bad-source"],
  ["team/app", { tag: "a b" }, "bad-source"],
  ["Bucket", { kind: "s3" }, "bad-source"],
  ["-x", { kind: "docker" }, "bad-source"],
  [undefined, { kind: "git" }, "bad-source"],
];

for (const [location, more, code] of wrong)
  test(`${location ?? "nothing"} ${JSON.stringify(more)} is refused as ${code}`, () => {
    assert.throws(
      () => read(location, more),
      (error) => error instanceof UserError && error.diagnostics[0]?.code === code && !error.diagnostics[0].message.includes("secret"),
    );
  });

test("names are UTF-8 that shows, without : / \\ and *", () => {
  for (const name of ["pinata", "web assets", "größe-2", "データ", "a,b", "x".repeat(200)]) assert.equal(badName(name), undefined, name);
  for (const name of ["", "a:b", "a/b", "a\\b", "a*", "-a", ".a", " a", "a\n", "a\u200b", "\ud800", "x".repeat(201)])
    assert.notEqual(badName(name), undefined, name);
});
