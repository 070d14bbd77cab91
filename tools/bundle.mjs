// Bundles the command line into dist/dagger: one file, its code compiled ahead of time, and a small one that starts it (launch.cjs).
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { train } from "./train.mjs";

const made = "dist/dagger.new";

const bundleUrl = 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;';
/** What the launcher calls, and nothing around it: the text of the file is then what V8 compiles. */
const asFunction = { banner: { js: `(function (exports, require, module, __filename, __dirname) {${bundleUrl}` }, footer: { js: "})" } };

/** Rare and large: files of their own, which are read when they are needed. */
const apart = ["@viz-js/viz", "age-encryption", "jsonc-parser", "kysely", "pg", "tar-stream", "yaml", "yauzl"];
const fileOf = (name) => name.replace(/^.*[/]/, "");
const setApart = {
  name: "apart",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${apart.join("|")})$`) }, ({ path }) => ({ path: `./${fileOf(path)}.cjs`, external: true }));
  },
};

/** CommonJS rather than ES modules: Node starts it faster, and V8 can keep its compiled code. */
const options = {
  outdir: made,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20.19",
  // What is in another file is required: import() would start the loader of ES modules.
  supported: { "dynamic-import": false },
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: true,
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  // For Node, yaml has only CommonJS, which a lazy import would see as nothing but a default export; its other build has ES modules.
  // jsonc-parser's UMD requires its parts in a way that esbuild cannot follow.
  alias: { yaml: "./node_modules/yaml/browser/index.js", "jsonc-parser": "./node_modules/jsonc-parser/lib/esm/main.js" },
  define: { "import.meta.url": "__bundleUrl", "import.meta.resolve": "undefined" },
  banner: { js: bundleUrl },
  // Machine code, which stays in node_modules; and what pg can do without.
  external: ["@photostructure/sqlite", "pg-native", "pg-cloudflare"],
  logLevel: "warning",
};

await rm(made, { recursive: true, force: true });
// The name has the digest of the contents: what is kept between runs counts only for the same code.
await build({ ...options, ...asFunction, entryPoints: { dagger: "cli/main.ts" }, entryNames: "[name]-[hash]", plugins: [setApart] });
for (const name of apart) await build({ ...options, entryPoints: { [fileOf(name)]: name } });
// Workers are started by their file names.
await build({ ...options, entryPoints: { "cue-worker": "runtime/cue/cue-worker.ts" } });
await build({ ...options, entryPoints: { "history-worker": "engine/history/worker.ts" }, plugins: [setApart] });
// What runs in a browser is put into pages as text.
await build({
  outdir: made,
  bundle: true,
  target: "es2022",
  format: "iife",
  minify: true,
  logLevel: "warning",
  entryPoints: { "graph-page": "engine/plan/page/main.ts" },
});
await build({ outdir: made, minify: true, logLevel: "warning", entryPoints: { "graph-page": "engine/plan/page/page.css" } });
const bundle = (await readdir(made)).find((name) => /^dagger-.*[.]cjs$/.test(name));
const foreign = /[^\x00-\x7f]/.exec(await readFile(join(made, bundle), "utf8"));
// The launcher reads it as Latin-1. esbuild escapes what is in strings, but not in regular expressions.
if (foreign !== null) throw new Error(`The bundle has ${JSON.stringify(foreign[0])}: write it as \\u… in the regular expression`);
const launcher = join(made, "main.cjs");
await writeFile(launcher, (await readFile("tools/launch.cjs", "utf8")).replace('"BUNDLE"', JSON.stringify(bundle)));
await train(launcher);
// Swapped in as a whole: a dagger that starts meanwhile finds the old bundle or the new one.
await rm("dist/dagger", { recursive: true, force: true });
await rename(made, "dist/dagger");
