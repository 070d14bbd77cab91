// The promise of the product, counted on the wire: a whole job is one Solve, however many components and values it has.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type RecordingProxy, startProxy } from "../support/proxy.ts";
import { type Bench, startBench } from "./dagger.ts";

const solve = "/moby.buildkit.v1.Control/Solve";
let bench: Bench;
let proxy: RecordingProxy;

before(async () => {
  bench = await startBench();
  // A version of the daemon that was never seen is asked once what it can do, which takes an empty build of its own.
  assert.equal((await bench.dagger(["doctor"])).code, 0);
  proxy = await startProxy(bench.daemon.address);
});
after(async () => {
  await proxy?.stop();
  await bench?.end();
});

/** Writes the config, computes it through the proxy, and gives its values and how many Solve requests that took. */
async function compute(name: string, cue: string): Promise<{ values: Record<string, unknown>; solves: number }> {
  const dir = join(bench.dir, name);
  mkdirSync(dir);
  writeFileSync(join(dir, "up.cue"), `package up\n\n${cue}`);
  const before = proxy.count(solve);
  const { code, stdout, stderr } = await bench.dagger(["compute", dir], { BUILDKIT_HOST: proxy.address });
  assert.equal(code, 0, stderr);
  return { values: JSON.parse(stdout) as Record<string, unknown>, solves: proxy.count(solve) - before };
}

const base = '_base: #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}]\n';

test("a hundred components with values are one Solve", async () => {
  const components = Array.from(
    { length: 100 },
    (_, i) =>
      `c${i}: {string, #up: [{do: "load", from: _base}, {do: "write-file", dest: "/v", content: "value ${i}"}, {do: "export", source: "/v"}]}\n`,
  );
  const { values, solves } = await compute("hundred", base + components.join(""));
  assert.equal(solves, 1);
  assert.deepEqual(values, Object.fromEntries(components.map((_, i) => [`c${i}`, `value ${i}`])));
});

test("a chain in which each component uses the value of the one before is one Solve", async () => {
  const link = (i: number): string =>
    `c${i}: {string, #up: [{do: "load", from: _base}, {do: "exec", args: ["sh", "-c", "printf '%s.${i}' \\"$V\\" > /v"], env: V: ${i === 0 ? '"0"' : `c${i - 1}`}}, {do: "export", source: "/v"}]}\n`;
  const { values, solves } = await compute("chain", base + Array.from({ length: 10 }, (_, i) => link(i)).join(""));
  assert.equal(solves, 1);
  assert.equal(values["c9"], "0.0.1.2.3.4.5.6.7.8.9");
});

test("passes that CUE needs are inside one build: still one Solve on the daemon's side of Control", async () => {
  const { values, solves } = await compute(
    "branch",
    `${base}mode: {string, #up: [{do: "load", from: _base}, {do: "write-file", dest: "/m", content: "big"}, {do: "export", source: "/m"}]}
if mode == "big" {
	extra: {string, #up: [{do: "load", from: _base}, {do: "write-file", dest: "/m", content: "was \\(mode)"}, {do: "export", source: "/m"}]}
}
`,
  );
  assert.equal(solves, 1);
  assert.deepEqual(values, { mode: "big", extra: "was big" });
});

test("a diamond of 64 levels is one Solve, and each component is in it once", async () => {
  const levels = Array.from(
    { length: 64 },
    (_, i) => `l${i + 1}: #up: [{do: "copy", from: l${i}, dest: "/a"}, {do: "copy", from: l${i}, dest: "/b"}]\n`,
  );
  const dir = join(bench.dir, "diamond");
  mkdirSync(dir);
  writeFileSync(join(dir, "up.cue"), `package up\n\nl0: #up: [{do: "scratch"}, {do: "mkdir", path: "/d"}]\n${levels.join("")}`);
  const { code, stdout, stderr } = await bench.dagger(["graph", dir, "--format", "json"]);
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { components: unknown[] }).components.length, 65);
});
