// Tests of the small parts of reading: names, paths, and that the CUE library says what the compiler reads.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { nearest, orList } from "./near.ts";
import { findSpec, opNames } from "./op.ts";
import { parentPath, relativeInside } from "./path.ts";
import { unquote } from "./types.ts";
import { splitPath } from "./walk.ts";

test("the nearest name is found through typos, swaps and beginnings, and far names are not guessed", () => {
  assert.deepEqual(nearest("exce", ["exec", "env"]), ["exec"]);
  assert.deepEqual(nearest("form", ["from", "mode"]), ["from"]);
  assert.deepEqual(nearest("fetch", ["fetch-container", "fetch-oci"], 2), ["fetch-oci", "fetch-container"]);
  assert.deepEqual(nearest("teleport", opNames), []);
  assert.deepEqual(nearest("", opNames), []);
});

test("alternatives are listed as a person would", () => {
  assert.equal(orList([]), "");
  assert.equal(orList(["a"]), "a");
  assert.equal(orList(["a", "b", "c"]), "a, b or c");
});

test("a directory is inside of another by its names, not by its letters", () => {
  assert.equal(relativeInside("/a", "/a"), ".");
  assert.equal(relativeInside("/a", "/a/b/../c"), "c");
  assert.equal(relativeInside("/a", "/ab"), undefined);
  assert.equal(relativeInside("/a", "/a/../b"), undefined);
  assert.equal(relativeInside("/", "/x"), "x");
  assert.equal(parentPath("/a/b"), "/a");
  assert.equal(parentPath("/a"), "/");
});

test("CUE paths are split into labels", () => {
  assert.deepEqual(splitPath('a."b.c"[0].#up[12].x'), ["a", '"b.c"', "0", "#up", "12", "x"]);
  assert.deepEqual(splitPath(""), []);
  assert.equal(unquote('"a\\"b"'), 'a"b');
  assert.equal(unquote("plain"), "plain");
});

test("names of Object's own are no ops", () => {
  for (const name of ["constructor", "toString", "__proto__", ""]) assert.equal(findSpec(name), undefined);
});

test("every op has a CUE definition with the same fields, the same ones required, all with a comment", async () => {
  const definitions = await readDefinitions();
  assert.deepEqual([...definitions.keys()].sort(), opNames);
  for (const name of opNames) {
    const spec = findSpec(name);
    const fields = Object.entries<{ readonly required: boolean }>(spec?.fields ?? {}).map(
      ([label, field]) => `${label}${field.required ? "!" : "?"}`,
    );
    assert.deepEqual(definitions.get(name), fields.sort(), `fields of ${name}`);
  }
});

/** Fields by op, as `label!` or `label?`, out of packages/op. */
async function readDefinitions(): Promise<Map<string, string[]>> {
  const folder = new URL("../../packages/op/", import.meta.url);
  const found = new Map<string, string[]>();
  for (const file of await readdir(folder)) {
    const text = await readFile(new URL(file, folder), "utf8");
    for (const definition of text.split(/^(?=#)/m)) {
      const name = /\bdo: "([^"]+)"$/m.exec(definition)?.[1];
      if (name === undefined) continue;
      const lines = definition.split("\n");
      const fields = [...definition.matchAll(/^\t(\w+)([!?]):/gm)].map(([, label, mark]) => `${label}${mark}`);
      for (const field of fields) {
        const line = lines.findIndex((text) => text.startsWith(`\t${field}:`));
        assert.match(lines[line - 1] ?? "", /^\t\/\/ /, `${name}.${field} in ${file} has no comment`);
      }
      found.set(name, fields.sort());
    }
  }
  return found;
}
