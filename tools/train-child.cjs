// One run of the bundled dagger whose compiled code is kept when it ends. Usage: train-child.cjs LAUNCHER KEPT ARGUMENT... (see train.mjs)
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const { dirname } = require("node:path");
const { setFlagsFromString } = require("node:v8");

const [launcher, kept] = process.argv.splice(2, 2);
const { filename, load, requireOnce } = require(launcher);

function previous() {
  try {
    return readFileSync(kept);
  } catch {
    return undefined;
  }
}

const script = load(previous());
process.on("exit", () => {
  // What is kept belongs to the flags of this moment, and a run starts with these: see setRunFlags in runtime/cue/program.ts.
  setFlagsFromString("--no-wasm-lazy-validation");
  setFlagsFromString("--wasm-tiering-budget=1800000");
  writeFileSync(kept, script.createCachedData());
});
script.runInThisContext()({}, requireOnce(), { exports: {} }, filename, dirname(filename));
