// Bundles the command line into dist/dagger: a file with what runs need and one with the rest (split.mjs), their code compiled ahead of time,
// and a small one that starts it (launch.cjs).
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { split } from "./split.mjs";
import { train } from "./train.mjs";

const made = "dist/dagger.new";

const bundleUrl = 'const __bundleUrl = require("node:url").pathToFileURL(__filename).href;';
/** What the launcher calls, and nothing around it: the text of the file is then what V8 compiles. */
const asFunction = { banner: { js: `(function (exports, require, module, __filename, __dirname) {${bundleUrl}` }, footer: { js: "})" } };

/** Rare and large: files of their own, which are read when they are needed. */
const apart = ["@viz-js/viz", "age-encryption", "jsonc-parser", "pg", "tar-stream", "yaml", "yauzl"];
/** Needed by every run that is remembered, and by no other: with compiled code of their own (`parts` in launch.cjs). */
const parts = ["@photostructure/sqlite", "kysely"];
const fileOf = (name) => name.replace(/^.*[/]/, "");
const setApart = {
  name: "apart",
  setup({ onResolve }) {
    const names = new RegExp(`^(${[...apart, ...parts].join("|")})$`);
    onResolve({ filter: names }, ({ path }) => ({ path: `./${fileOf(path)}.cjs`, external: true }));
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
  // What pg can do without; and the watcher, whose machine code npm puts where only the package itself finds it.
  external: ["pg-native", "pg-cloudflare", "@parcel/watcher"],
  logLevel: "warning",
};

/** What the sources import of a package: nothing else of it is bundled. */
async function importsOf(name) {
  const imports = new RegExp(`^import \\{([^}]*)\\} from "${name}";$`, "gm");
  const names = new Set();
  for (const file of await readdir("engine/store", { recursive: true })) {
    if (!/(?<![.]test)[.]ts$/.test(file)) continue;
    const text = await readFile(join("engine/store", file), "utf8");
    for (const [, list] of text.matchAll(imports)) for (const one of list.split(",")) names.add(one.trim());
  }
  return [...names].filter((one) => one !== "" && !one.startsWith("type "));
}

async function bundlePart(name) {
  const contents = `export { ${(await importsOf(name)).join(", ")} } from "${name}";`;
  const stdin = { contents, resolveDir: "." };
  // The driver finds its machine code from the place of its own file, where npm put it. In a clone that is known without asking Node,
  // which reads three files for it.
  const place = `const __near = require("node:path").join(__dirname, "../../node_modules/${name}/dist/index.cjs"), __package =
require("node:url").pathToFileURL(require("node:fs").existsSync(__near) ? __near :
require("node:module").createRequire(__filename).resolve("${name}")).href;`;
  const alias = { "node-gyp-build": "./tools/prebuilt.cjs" };
  const banner = { js: asFunction.banner.js + (name === "kysely" ? "" : place) };
  const define = { "import.meta.url": "__package" };
  await build({ ...options, ...asFunction, banner, alias, define, stdin, outdir: undefined, outfile: join(made, `${fileOf(name)}.cjs`) });
}

await rm(made, { recursive: true, force: true });
// The name has the digest of the contents: what is kept between runs counts only for the same code.
const halves = await split({ ...options, ...asFunction }, setApart);
const named = async (name, half) => {
  const { metafile } = await build({ ...half, entryNames: `${name}-[hash]`, metafile: true });
  const file = basename(Object.keys(metafile.outputs).find((output) => output.endsWith(".cjs")));
  const foreign = /[^\x00-\x7f]/.exec(await readFile(join(made, file), "utf8"));
  // The launcher reads it as Latin-1. esbuild escapes what is in strings, but not in regular expressions.
  if (foreign !== null) throw new Error(`The bundle has ${JSON.stringify(foreign[0])}: write it as \\u… in the regular expression`);
  return file;
};
const bundle = await named("dagger", halves.usual);
const rest = await named("rest", halves.rest);
for (const name of apart) await build({ ...options, entryPoints: { [fileOf(name)]: name } });
for (const name of parts) await bundlePart(name);
// Workers are started by their file names.
await build({
  ...options,
  entryPoints: { "cue-worker": "runtime/cue/cue-worker.ts", "digest-worker": "engine/provenance/digest-worker.ts" },
});
// A thread of its own for the driver, which npm's package finds by itself.
await build({
  ...options,
  external: [...options.external, "@photostructure/sqlite"],
  entryPoints: { "copy-worker": "engine/store/drivers/copy-worker.ts" },
});
// The process that looks after a service, and the one that starts many steps on this machine.
await build({ ...options, entryPoints: { "supervisor-process": "engine/services/supervisor-process.ts" } });
await build({ ...options, entryPoints: { "process-host": "engine/hosts/process-host.ts" } });
// What runs in a browser is put into pages as text.
await build({
  outdir: made,
  bundle: true,
  target: "es2022",
  format: "iife",
  minify: true,
  logLevel: "warning",
  entryPoints: { "graph-page": "engine/plan/picture/page/main.ts" },
});
await build({ outdir: made, minify: true, logLevel: "warning", entryPoints: { "graph-page": "engine/plan/picture/page/page.css" } });
const launcher = join(made, "main.cjs");
const launch = await readFile("tools/launch.cjs", "utf8");
await writeFile(launcher, launch.replace('"BUNDLE"', JSON.stringify(bundle)).replace('"REST"', JSON.stringify(rest)));
await train(launcher);
// Swapped in as a whole: a dagger that starts meanwhile finds the old bundle or the new one.
await rm("dist/dagger", { recursive: true, force: true });
await rename(made, "dist/dagger");
