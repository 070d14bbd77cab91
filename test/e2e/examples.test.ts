// Runs every example as a user would, and holds it against plain CUE: formatted, and valid without dagger.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { debianRoot } from "../support/images.ts";
import { startRegistry } from "../support/registry.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

const examples = readdirSync(join(repository, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  // The others are no configs, and have tests of their own.
  .filter((name) => readdirSync(join(repository, "examples", name)).some((file) => file.endsWith(".cue")));
/** The library's packages, by their names. */
const library = readdirSync(join(repository, "packages"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !["alpha.dagger.io", "cue.mod"].includes(entry.name))
  // Directories of packages only.
  .filter((entry) => readdirSync(join(repository, "packages", entry.name)).some((file) => file.endsWith(".cue")))
  .map((entry) => entry.name);
let bench: Bench;

before(async () => {
  bench = await startBench();
  cpSync(join(repository, "examples"), join(bench.dir, "examples"), { recursive: true });
});
after(() => bench?.end());

/** The pinned `cue` program, built from the same module as the wasm. */
function cue(args: readonly string[], cwd: string): { code: number | null; output: string } {
  const program = join(repository, "dist/bin/cue");
  if (!existsSync(program))
    execFileSync("go", ["build", "-trimpath", "-o", program, "cuelang.org/go/cmd/cue"], { cwd: join(repository, "tools") });
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}

test("every example and the library pass plain cue vet and cue fmt", () => {
  const dir = join(bench.dir, "vet");
  mkdirSync(join(dir, "cue.mod/pkg/cuellb.dev"), { recursive: true });
  writeFileSync(join(dir, "cue.mod/module.cue"), 'module: "example.test/examples"\nlanguage: version: "v0.17.0"\n');
  for (const name of library) cpSync(join(repository, "packages", name), join(dir, "cue.mod/pkg/cuellb.dev", name), { recursive: true });
  for (const name of examples) {
    cpSync(join(repository, "examples", name), join(dir, name), { recursive: true });
    assert.deepEqual(cue(["vet", "-c=false", `./${name}`], dir), { code: 0, output: "" });
    assert.deepEqual(cue(["fmt", "--check", `./${name}`], dir), { code: 0, output: "" });
  }
  const packages = library.map((name) => `./${name}`);
  assert.deepEqual(cue(["vet", "-c=false", ...packages], join(repository, "packages")), { code: 0, output: "" });
  assert.deepEqual(cue(["fmt", "--check", ...packages], join(repository, "packages")), { code: 0, output: "" });
  // A module of its own, so that other tools find its imports, too.
  const dialect = join(repository, "packages/alpha.dagger.io");
  assert.deepEqual(cue(["vet", "-c=false", "./..."], dialect), { code: 0, output: "" });
  assert.deepEqual(cue(["fmt", "--check", "./..."], dialect), { code: 0, output: "" });
});

test("hello greets whom it is told to", async () => {
  assert.deepEqual(JSON.parse((await bench.dagger(["compute", "examples/hello"])).stdout), { name: "world", greeting: "Hello, world" });
  const ada = await bench.dagger(["compute", "examples/hello", "-i", "name=Ada"]);
  assert.deepEqual(JSON.parse(ada.stdout), { name: "Ada", greeting: "Hello, Ada" });
});

test("pipeline turns readings into figures and a report", async () => {
  const { code, stdout, stderr } = await bench.dagger(["up", "examples/pipeline", "--output", "json"]);
  assert.equal(code, 0, stderr);
  const headline = "Lisbon was warmest; the mean of 6 readings is 8.9 degrees";
  const result = JSON.parse(stdout) as { values: Record<string, unknown>; passes: unknown[] };
  assert.equal(result.values["headline"], headline);
  assert.deepEqual(result.values["figures"], { readings: 6, warmest: "Lisbon", mean: 8.9 });
  assert.equal(result.passes.length, 2);
  assert.equal(readFileSync(join(bench.dir, "examples/pipeline/report/README.txt"), "utf8"), `${headline}\n`);
  assert.match(
    readFileSync(join(bench.dir, "examples/pipeline/report/readings.csv"), "utf8"),
    /^Bergen,4.5\nLisbon,17.0\nLisbon,19.5\nOslo,-3.5\nOslo,1.0\nRome,15.0\n$/,
  );
});

test("images saves an archive and pushes the image with its provenance", async () => {
  const registry = await startRegistry();
  try {
    const { code, stdout, stderr } = await bench.dagger(["up", "examples/images", "-i", `registry=${registry.host}`, "--output", "json"]);
    assert.equal(code, 0, stderr);
    const { values } = JSON.parse(stdout) as { values: Record<string, unknown> };
    assert.ok(existsSync(join(bench.dir, "examples/images/dist/site.tar")));
    const response = await fetch(`http://${registry.host}/v2/site/manifests/${String(values["pushed"])}`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const { manifests } = (await response.json()) as { manifests: { annotations?: Record<string, string> }[] };
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations?.["vnd.docker.reference.type"]),
      [undefined, "attestation-manifest"],
    );
  } finally {
    await registry.stop();
  }
});

test("executors goes from a container to this machine and back", async () => {
  const { code, stdout, stderr } = await bench.dagger(["up", "examples/executors", "--allow-host", "--output", "json"]);
  assert.equal(code, 0, stderr);
  const { values, passes } = JSON.parse(stdout) as { values: Record<string, unknown>; passes: unknown[] };
  assert.deepEqual([values["tried"], passes.length], ["Hello from Linux", 2]);
  assert.equal(readFileSync(join(bench.dir, "examples/executors/out/report.txt"), "utf8"), "It said: Hello from Linux\n");
});

test("app builds, tests and packages the program, and does nothing the second time", async () => {
  const imported = await bench.dagger(["image", "import", "docker.io/library/debian:bookworm", await debianRoot()]);
  assert.equal(imported.code, 0, imported.stderr);
  const first = await bench.dagger(["up", "examples/app", "--output", "json"]);
  assert.equal(first.code, 0, first.stderr);
  const { values } = JSON.parse(first.stdout) as { values: Record<string, unknown> };
  const dist = join(bench.dir, "examples/app/dist");
  const archive = readFileSync(join(dist, "roman-1.4.0.tar.gz"));
  assert.equal(values["version"], "1.4.0");
  assert.equal(values["test"], "4005 tests, 0 failures");
  assert.equal(values["sha256"], createHash("sha256").update(archive).digest("hex"));
  assert.equal(readFileSync(join(dist, "SHA256SUMS"), "utf8"), `${String(values["sha256"])}  roman-1.4.0.tar.gz\n`);

  const second = await bench.dagger(["up", "examples/app", "--output", "json"]);
  assert.equal(second.code, 0, second.stderr);
  assert.equal((JSON.parse(second.stdout) as { steps: { run: number } }).steps.run, 0);
});

test("app says which test failed when one does", async () => {
  const source = join(bench.dir, "examples/app/src/roman.c");
  writeFileSync(source, readFileSync(source, "utf8").replace('{900, "CM"}', '{900, "DCCCC"}'));
  const { code, stderr } = await bench.dagger(["up", "examples/app", "--progress", "plain"]);
  assert.equal(code, 1);
  assert.match(stderr, /failed: 1987 is MCMLXXXVII|failed: /);
  assert.match(stderr, /app\.cue:\d+:\d+/);
});
