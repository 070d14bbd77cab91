// Cache that travels with an image: one daemon pushes it inline, another one takes it from the registry.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBuildkitd } from "../support/buildkitd.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let registry: TestRegistry;

before(async () => {
  bench = await startBench();
  registry = await startRegistry();
});
after(async () => {
  await bench.end();
  await registry.stop();
});

test("an image that is pushed with its cache spares another daemon the steps", async () => {
  const ref = `${registry.host}/inline:1`;
  mkdirSync(join(bench.dir, "job"));
  const ops = `{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "exec", args: ["sh", "-c", "echo inline > /x"]}`;
  writeFileSync(join(bench.dir, "job/job.cue"), `package job\napp: {string, #up: [${ops}, {do: "push-container", ref: "${ref}"}]}\n`);
  const first = await bench.dagger(["up", "--progress", "plain", "--cache-to", "type=inline", "./job"]);
  assert.equal(first.code, 0, first.stderr);
  assert.doesNotMatch(first.stderr, /CACHED/);
  const other = await startBuildkitd();
  try {
    const again = (args: readonly string[]) =>
      bench.dagger(["up", "--progress", "plain", ...args, "./job"], { BUILDKIT_HOST: other.address });
    const second = await again(["--cache-from", `type=registry,ref=${ref}`]);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /\] exec sh -c echo inline > \/x\n#\d+ CACHED/);
  } finally {
    await other.stop();
  }
});
