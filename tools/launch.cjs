// Starts the bundled command line with the compiled code that the build kept beside it. V8 refuses code of another version of Node, or of
// other flags, and compiles anew then. Copied to dist/dagger/main.cjs by bundle.mjs, with the bundle's names in place of BUNDLE and REST.
"use strict";
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { basename, join } = require("node:path");
const { Script } = require("node:vm");

const filename = join(__dirname, "BUNDLE");
/** What no usual run needs (split.mjs). */
const rest = join(__dirname, "REST");
/** Files beside the bundle that many runs need, though not all of them: these have compiled code, too. */
const parts = new Set(["./kysely.cjs", "./sqlite.cjs"]);

/** What few runs need: each is loaded when something of it is used. */
const rare = new Set([
  "child_process",
  "fs/promises",
  "https",
  "timers/promises",
  "v8",
  "worker_threads",
  "zlib",
  "./tar-stream.cjs",
  "./yauzl.cjs",
]);
/** Objects of functions, which many modules import whole: esbuild copies such an object for each, but not what it inherits. */
const whole = new Set(["fs", "http2", "net", "os", "path", "tls"]);

/** `require` for the bundle, where every module of the sources asks for the parts of Node that it needs. */
function requireOnce(loadPart = load) {
  const node = createRequire(filename);
  const known = new Map();
  const halves = {};
  const find = (id) => {
    const [, half, module] = /^(usual|rest):(.*)$/.exec(id) ?? [];
    if (half !== undefined) {
      halves.rest ??= run(loadPart(rest), rest, require_).rest;
      return halves[half][module]();
    }
    const name = id.replace(/^node:/, "");
    if (whole.has(name)) return Object.create(node(id));
    if (parts.has(id)) return run(loadPart(join(__dirname, id)), join(__dirname, id), require_);
    if (!rare.has(name)) return node(id);
    let loaded;
    const get = (_, key) => {
      loaded ??= node(id);
      return loaded[key];
    };
    const later = { get };
    return new Proxy({}, { ...later, getPrototypeOf: () => new Proxy({}, later) });
  };
  const require_ = (id) => {
    if (!known.has(id)) known.set(id, find(id));
    return known.get(id);
  };
  require_.halves = halves;
  return require_;
}

/** `compiled` is what createCachedData gave for the same text. */
function load(file, compiled = readCompiled(file)) {
  // The bundle is ASCII, and an expression: read so, it takes half the memory, no decoding and no copy.
  const text = readFileSync(file, "latin1");
  // Compiled code keeps the name that it was compiled under: one that says nothing of the machine that did.
  return new Script(text, { filename: basename(file), cachedData: compiled });
}

function readCompiled(file) {
  try {
    return readFileSync(`${file}.code`);
  } catch {
    return undefined;
  }
}

/** Gives what the module exports. */
function run(script, file, require_) {
  // What the usual half has is asked for by the rest.
  const module = { exports: file === filename ? require_.halves : {} };
  script.runInThisContext()(module.exports, require_, module, file, __dirname);
  return module.exports;
}

module.exports = { filename, load, requireOnce, run, start: () => run(load(filename), filename, requireOnce()) };
