// One run of the bundled dagger whose compiled code is kept when it ends. Usage: train-child.cjs LAUNCHER DIRECTORY ARGUMENT... (see train.mjs)
"use strict";
const { readFileSync, writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { setFlagsFromString } = require("node:v8");

const [launcher, directory] = process.argv.splice(2, 2);
const { filename, load, requireOnce, run } = require(launcher);

const keptOf = (file) => join(directory, `${basename(file)}.code`);

function previous(file) {
  try {
    return readFileSync(keptOf(file));
  } catch {
    return undefined;
  }
}

const scripts = new Map();
function loadKept(file) {
  const script = load(file, previous(file));
  scripts.set(file, script);
  return script;
}

process.on("exit", () => {
  // What is kept belongs to the flags of this moment, and a run starts with these: see setRunFlags in runtime/cue/program.ts.
  setFlagsFromString("--no-wasm-lazy-validation");
  setFlagsFromString("--wasm-tiering-budget=1800000");
  for (const [file, script] of scripts) writeFileSync(keptOf(file), script.createCachedData());
});
run(loadKept(filename), filename, requireOnce(loadKept));
