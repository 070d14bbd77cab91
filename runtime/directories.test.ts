// Which directories are ours, by the rules of the XDG specification.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheDir, dataDir } from "./directories.ts";

test("our own variable wins over XDG's, and that over the home directory", () => {
  const home = { HOME: "/h" };
  assert.equal(cacheDir(home), "/h/.cache/dagger");
  assert.equal(dataDir(home), "/h/.local/share/dagger");
  const xdg = { ...home, XDG_CACHE_HOME: "/xc", XDG_DATA_HOME: "/xd" };
  assert.equal(cacheDir(xdg), "/xc/dagger");
  assert.equal(dataDir(xdg), "/xd/dagger");
  assert.equal(cacheDir({ ...xdg, DAGGER_CACHE_DIR: "/own" }), "/own");
  assert.equal(dataDir({ ...xdg, DAGGER_DATA_DIR: "/own" }), "/own");
});

test("relative and empty values are ignored", () => {
  assert.equal(cacheDir({ HOME: "/h", DAGGER_CACHE_DIR: "here", XDG_CACHE_HOME: "" }), "/h/.cache/dagger");
});
