// Makes dist/cue.code: the machine code of what evaluations use most, optimized by V8 and kept for runs with the same Node. Usage: cue-code.ts WASM
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { moduleDigest, Program, setRunFlags } from "../runtime/cue/program.ts";
import { compiledOf, encodeCompiled, serialize } from "../runtime/cue/snapshot/compiled.ts";
import { components, load } from "./cue-runs/runs.ts";

/** Evaluations; V8 optimizes in other threads meanwhile, which they have to be given the time for. */
const ROUNDS = 8;
const PAUSE = 300;
const SETTLE = 3000;

async function main(wasm: string): Promise<void> {
  const out = compiledOf(wasm);
  rmSync(out, { force: true });
  // Optimizing soon, unlike a run, which never does: on few processors that takes longer than it saves.
  const program = new Program({ wasm, compiled: false, optimizeAfter: 200_000 });
  if (!program.restores) throw new Error(`${wasm} has no snapshot`);
  for (let round = 0; round < ROUNDS; round++) {
    const instance = program.start();
    instance.call({ call: "module", files: [{ name: "module.cue", text: 'module: "example.com/m@v0"\nlanguage: version: "v0.17.0"\n' }] });
    for (const wrong of [false, true]) instance.call(load(components(wrong ? 3 : 20, wrong)));
    instance.call({ call: "fill", fills: [{ path: "name", text: "x", origin: "-i name" }] });
    await sleep(PAUSE);
  }
  await sleep(SETTLE);
  // V8 takes machine code back only with the flags that it was kept with.
  setRunFlags();
  writeFileSync(`${out}.new`, encodeCompiled(serialize(program.module), { module: moduleDigest(wasm) }));
  renameSync(`${out}.new`, out);
  process.exit(0);
}

const [wasm] = process.argv.slice(2);
if (!wasm) throw new Error("usage: cue-code.ts WASM");
await main(wasm);
