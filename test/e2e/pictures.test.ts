// Pictures of examples in docs/ are those that dagger draws; UPDATE=1 draws them anew.
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { debianRoot } from "../support/images.ts";
import { type Bench, repository, runDagger, startBench } from "./dagger.ts";

/** By the file in docs/: the example, and the level that is read best; of a workspace of sources and nodes there is one. */
const pictures = {
  "executors.svg": ["executors", "ops"],
  "plan-and-graph.svg": ["pipeline", "ops"],
  "components.svg": ["pipeline", "components"],
  "harbor.svg": ["harbor", "components"],
  "pinata.svg": ["pinata", "data"],
  "shop.svg": ["stages", "components"],
  "devster.svg": ["devster", "components"],
} as const;

let bench: Bench;
before(async () => {
  bench = await startBench();
  for (const tag of ["bookworm", "bookworm-slim"]) {
    const imported = await bench.dagger(["image", "import", `docker.io/library/debian:${tag}`, await debianRoot()]);
    assert.equal(imported.code, 0, imported.stderr);
  }
  cpSync(join(repository, "examples"), join(bench.dir, "examples"), { recursive: true });
  const refreshed = await runDagger(["source", "refresh"], join(bench.dir, "examples/harbor"), {
    ...{ PATH: process.env["PATH"] ?? "", HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data") },
    BUILDKIT_HOST: bench.daemon.address,
  });
  assert.equal(refreshed.code, 0, refreshed.stderr);
});
after(() => bench?.end());

for (const [file, [example, level]] of Object.entries(pictures)) {
  test(`docs/${file} is the graph of examples/${example}`, async () => {
    const { code, stdout, stderr } = await bench.dagger(["graph", `examples/${example}`, "--format", "svg", "--level", level]);
    assert.equal(code, 0, stderr);
    const path = join(repository, "docs", file);
    if (process.env["UPDATE"] !== undefined) writeFileSync(path, stdout);
    assert.ok(readFileSync(path, "utf8") === stdout, `docs/${file} is not what dagger draws: UPDATE=1 draws it anew`);
  });
}
