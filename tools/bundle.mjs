// Bundles the command line into dist/dagger: one file, its code compiled ahead of time, and a small one that starts it (launch.cjs).
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { build } from "esbuild";

const made = "dist/dagger.new";

/** CommonJS rather than ES modules: Node starts it faster, and V8 can keep its compiled code. */
const options = {
  outdir: made,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  // For Node, yaml has only CommonJS, which a lazy import would see as nothing but a default export; its other build has ES modules.
  alias: { yaml: "./node_modules/yaml/browser/index.js" },
  define: { "import.meta.url": "__bundleUrl", "import.meta.resolve": "undefined" },
  banner: { js: 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
  logLevel: "warning",
};

/** Everything, not only what happens to run first: without a daemon the build cannot go the way that most runs go. */
function compileAll(launcher) {
  const { filename, load } = createRequire(import.meta.url)(resolve(launcher));
  setFlagsFromString("--no-lazy");
  const script = load(undefined);
  // What is kept belongs to the flags of the moment when it is taken, and these are the flags of a run.
  setFlagsFromString("--lazy");
  return writeFile(`${filename}.code`, script.createCachedData());
}

await rm(made, { recursive: true, force: true });
// The name has the digest of the contents: what is kept between runs counts only for the same code.
await build({ ...options, entryPoints: { dagger: "cli/main.ts" }, entryNames: "[name]-[hash]" });
// The worker is started by its file name.
await build({ ...options, entryPoints: { "cue-worker": "runtime/cue/cue-worker.ts" } });
const bundle = (await readdir(made)).find((name) => /^dagger-.*[.]cjs$/.test(name));
const launcher = join(made, "main.cjs");
await writeFile(launcher, (await readFile("tools/launch.cjs", "utf8")).replace('"BUNDLE"', JSON.stringify(bundle)));
await compileAll(launcher);
// Swapped in as a whole: a dagger that starts meanwhile finds the old bundle or the new one.
await rm("dist/dagger", { recursive: true, force: true });
await rename(made, "dist/dagger");
