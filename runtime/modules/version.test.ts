// Names and versions of modules: what is one, which is newer, and how they are written as file names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, escapeName, isVersion, majorOf, nameOf, pathProblem, splitModule } from "./version.ts";

test("versions are compared by the rules of semantic versions", () => {
  const ordered = [
    "v0.0.0-0",
    "v0.0.1",
    "v0.2.0",
    "v0.10.0",
    "v1.0.0-1",
    "v1.0.0-2",
    "v1.0.0-10",
    "v1.0.0-alpha",
    "v1.0.0-alpha.1",
    "v1.0.0-alpha.beta",
    "v1.0.0-beta",
    "v1.0.0-beta.2",
    "v1.0.0-beta.11",
    "v1.0.0-rc.1",
    "v1.0.0",
    "v1.0.99999999999999999998",
    "v1.0.99999999999999999999",
    "v2.0.0",
  ];
  for (const [i, a] of ordered.entries())
    for (const [j, b] of ordered.entries()) assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`);
  assert.ok(compareVersions("v0.0.0", "latest") > 0);
  assert.ok(compareVersions("latest", "v0.0.0") < 0);
});

test("a version is whole, without leading zeros or build metadata", () => {
  for (const version of ["v0.0.0", "v1.2.3", "v1.2.3-rc.1", "v1.2.3-0a", "v1.2.3-x-y"]) assert.ok(isVersion(version), version);
  for (const text of [
    "1.2.3",
    "v1",
    "v1.2",
    "v01.2.3",
    "v1.2.3-01",
    "v1.2.3+a",
    "v1.2.3-",
    "v1.2.3-a..b",
    "v1.2.3\n",
    " v1.2.3",
    "latest",
    "",
  ])
    assert.ok(!isVersion(text), JSON.stringify(text));
});

test("a module has a path, a major version and a name", () => {
  assert.equal(majorOf("v12.3.4"), "v12");
  assert.equal(nameOf({ path: "example.com/lib", version: "v1.2.3" }), "example.com/lib@v1");
  assert.deepEqual(splitModule("example.com/lib@v1.2.3"), { path: "example.com/lib", version: "v1.2.3" });
  assert.deepEqual(splitModule("example.com/lib"), { path: "example.com/lib" });
});

test("a module path is a host name and lower-case elements", () => {
  for (const good of ["example.com", "example.com/a/b", "a.b/c-d_e.f", "a.b/c__d", "1.example/x--y"])
    assert.equal(pathProblem(good), undefined, good);
  for (const bad of [
    "",
    "/a.b",
    "lib",
    "localhost/x",
    "Example.com/x",
    "a.b/X",
    "a.b//c",
    "a.b/c/",
    "a.b/../c",
    "a.b/.c",
    "a.b/c..d",
    "-a.b/c",
    "a.b/c d",
    "a.b/é",
    "a.b:5000/c",
  ])
    assert.ok(pathProblem(bad), JSON.stringify(bad));
});

test("file names are safe where case does not count", () => {
  assert.equal(escapeName("v1.0.0-RC1"), "v1.0.0-!r!c1");
  assert.equal(escapeName("example.com/lib"), "example.com/lib");
});
