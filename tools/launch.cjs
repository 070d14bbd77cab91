// Starts the bundled command line with the compiled code that the build kept beside it. V8 refuses code of another version of Node, or of
// other flags, and compiles anew then. Copied to dist/dagger/main.cjs by bundle.mjs, with the bundle's name in place of BUNDLE.
"use strict";
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

const bundle = "BUNDLE";
const filename = join(__dirname, bundle);

/** `compiled` is what createCachedData gave for the same text. */
function load(compiled) {
  // The bundle is ASCII, and an expression: read so, it takes half the memory, no decoding and no copy.
  const text = readFileSync(filename, "latin1");
  // Compiled code keeps the name that it was compiled under: one that says nothing of the machine that did.
  return new Script(text, { filename: bundle, cachedData: compiled });
}

function readCompiled() {
  try {
    return readFileSync(`${filename}.code`);
  } catch {
    return undefined;
  }
}

module.exports = {
  filename,
  load,
  start: () => load(readCompiled()).runInThisContext()({}, createRequire(filename), { exports: {} }, filename, __dirname),
};
