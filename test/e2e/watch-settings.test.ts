// A watch of an environment of a stack: what is set anew begins a run.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createEngine, type Engine } from "../../engine/embedding/index.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let engine: Engine;

before(async () => {
  bench = await startBench();
  mkdirSync(join(bench.dir, "workspace/ci"), { recursive: true });
  const ops = '[{do: "scratch"}, {do: "write-file", dest: "/v", content: word}, {do: "export", source: "/v"}]';
  writeFileSync(join(bench.dir, "workspace/ci/up.cue"), `package ci\n\nword: string\nvalue: {string, #up: ${ops}}\n`);
  const env = { PATH: process.env["PATH"], HOME: bench.dir, BUILDKIT_HOST: bench.daemon.address };
  engine = await createEngine({ env, cwd: join(bench.dir, "workspace") });
});
after(async () => {
  await engine?.close();
  await bench?.end();
});

test("what is set anew for the environment that is watched begins a run, which has it; other environments begin none", async () => {
  const { stacks } = engine;
  await stacks.init();
  await stacks.create({ name: "app", source: { dir: "ci" }, environments: ["dev", "prod"] });
  await stacks.inputs.set("app", "dev", [{ path: "word", text: "one" }]);
  const values: unknown[] = [];
  const words = ["two", "three"];
  for await (const event of engine.watch({ stack: "app", environment: "dev", poll: 0, signal: AbortSignal.timeout(180_000) })) {
    if (event.type === "end") values.push(event.outcome === "done" ? event.result.computed["value"] : event.outcome);
    if (event.type !== "waiting") continue;
    const text = words.shift();
    if (text === undefined) break;
    await stacks.inputs.set("app", "prod", [{ path: "word", text: `${text} of prod` }]);
    await stacks.inputs.set("app", "dev", [{ path: "word", text }]);
  }
  assert.deepEqual(values, ["one", "two", "three"]);
});
