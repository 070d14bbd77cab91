// The notices of software that others made and that is part of what we hand on: they name the versions that are in it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

test("the notice of Graphviz names the versions that @viz-js/viz has in it, and is in the package", () => {
  const notice = read("NOTICE");
  const { version } = JSON.parse(read("node_modules/@viz-js/viz/package.json")) as { version: string };
  const provenance = read("node_modules/@viz-js/viz/lib/provenance.json");
  assert.ok(notice.includes(`@viz-js/viz ${version} `));
  const graphviz = /"uri": "([^"]*graphviz-([\d.]+)\.tar\.gz)"/.exec(provenance);
  assert.ok(notice.includes(`Graphviz ${graphviz?.[2]} `) && notice.includes(graphviz?.[1] ?? "?"));
  const expat = /releases\/download\/(R_[\d_]+)\//.exec(provenance)?.[1] ?? "?";
  assert.ok(notice.includes(`Expat ${expat.slice(2).replaceAll("_", ".")},`) && notice.includes(`tag/${expat}`));
  assert.ok((JSON.parse(read("package.json")) as { files: string[] }).files.includes("NOTICE"));
});
