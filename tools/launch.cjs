// Starts the bundled command line with the compiled code that the build kept beside it. V8 refuses code of another version of Node, or of
// other flags, and compiles anew then. Copied to dist/dagger/main.cjs by bundle.mjs, with the bundle's name in place of BUNDLE.
"use strict";
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { Script } = require("node:vm");

const bundle = "BUNDLE";
const filename = join(__dirname, bundle);

/** What few runs need: each is loaded when something of it is used. */
const rare = new Set(["child_process", "fs/promises", "https", "v8", "worker_threads", "zlib", "./tar-stream.cjs", "./yauzl.cjs"]);
/** Objects of functions, which many modules import whole: esbuild copies such an object for each, but not what it inherits. */
const whole = new Set(["fs", "http2", "net", "os", "path", "tls"]);

/** `require` for the bundle, where every module of the sources asks for the parts of Node that it needs. */
function requireOnce() {
  const load = createRequire(filename);
  const known = new Map();
  const find = (id) => {
    const name = id.replace(/^node:/, "");
    if (whole.has(name)) return Object.create(load(id));
    if (!rare.has(name)) return load(id);
    let loaded;
    const get = (_, key) => {
      loaded ??= load(id);
      return loaded[key];
    };
    const later = { get };
    return new Proxy({}, { ...later, getPrototypeOf: () => new Proxy({}, later) });
  };
  return (id) => {
    if (!known.has(id)) known.set(id, find(id));
    return known.get(id);
  };
}

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
  requireOnce,
  start: () => load(readCompiled()).runInThisContext()({}, requireOnce(), { exports: {} }, filename, __dirname),
};
