// Bundles the command line into dist/dagger: one small entry, and a chunk for each part that a command loads when it needs it.
import { rename, rm } from "node:fs/promises";
import { build } from "esbuild";

const made = "dist/dagger.new";
await rm(made, { recursive: true, force: true });
await build({
  // The worker is started by its file name, so it is an entry of its own.
  entryPoints: { main: "cli/main.ts", "cue-worker": "runtime/cue/cue-worker.ts" },
  outdir: made,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  chunkNames: "[name]-[hash]",
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  // For Node, yaml has only CommonJS, which a lazy import would see as nothing but a default export; its other build has ES modules.
  alias: { yaml: "./node_modules/yaml/browser/index.js" },
  // Packages written for CommonJS call require for Node's own modules.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  logLevel: "warning",
});
// Swapped in as a whole: a dagger that starts meanwhile finds the old bundle or the new one.
await rm("dist/dagger", { recursive: true, force: true });
await rename(made, "dist/dagger");
