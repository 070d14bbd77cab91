// Stands in for node-gyp-build in the bundle: npm's packages bring machine code along, and its usual place need not be searched for.
"use strict";
const { existsSync } = require("node:fs");
const { basename, dirname, join } = require("node:path");

/** `dir` is the package's directory. */
module.exports = function load(dir) {
  const name = `${basename(dirname(dir))}+${basename(dir)}`;
  const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc";
  const file = join(dir, "prebuilds", `${process.platform}-${process.arch}`, `${name}.${libc}.node`);
  // Compiled on this machine, for example.
  if (!existsSync(file) || existsSync(join(dir, "build")))
    return require("node:module").createRequire(join(dir, "package.json"))("node-gyp-build")(dir);
  const module_ = { exports: {} };
  process.dlopen(module_, file);
  return module_.exports;
};
