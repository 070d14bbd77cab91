// Splits the bundle in two: what a run of `dagger up` needs, and the rest, which a run neither reads nor compiles. Modules stay whole and
// are there once: each half asks the launcher (launch.cjs) for what the other has, by ids such as rest:engine/plan/index.ts.
import { isAbsolute, relative, resolve, sep } from "node:path";
import { build } from "esbuild";

/** What a run begins with, and what it imports later on: when an image is in a registry, and when it is remembered. What these import statically comes with them. */
const begins = [
  "cli/main.ts",
  "cli/commands/up.ts",
  "engine/index.ts",
  "engine/history/recording.ts",
  "runtime/solve/gateway.ts",
  "engine/store/open.ts",
  "engine/store/drivers/sqlite.ts",
  "engine/store/drivers/backup.ts",
];

const skipped = Symbol("resolved by the split itself");

/** The name of a module in esbuild's metafile. */
const nameOf = (path) => relative(process.cwd(), path).split(sep).join("/");

/** Resolves as esbuild does, and lets `place` say where a module of ours, by its name, is to be had instead. */
const placed = (place) => ({
  name: "split",
  setup({ onResolve, resolve: resolvePath }) {
    onResolve({ filter: /^[^\0]/ }, async ({ path, importer, resolveDir, kind, pluginData, namespace }) => {
      if (pluginData === skipped || kind === "entry-point") return undefined;
      const found = await resolvePath(path, { importer, resolveDir, kind, namespace, pluginData: skipped });
      const isOurs = found.errors.length === 0 && !found.external && isAbsolute(found.path);
      const elsewhere = isOurs ? place(nameOf(found.path), kind) : undefined;
      // esbuild knows more of what it resolves itself than a plugin can say: whether it is an ES module.
      return elsewhere === undefined ? undefined : { path: elsewhere, external: true };
    });
  },
});

/** The modules of `inputs` that come with `roots`. */
function closure(inputs, roots) {
  const seen = new Set();
  const add = (name) => {
    if (seen.has(name) || inputs[name] === undefined) return;
    seen.add(name);
    for (const { path, kind, external } of inputs[name].imports) if (!external && kind !== "dynamic-import") add(path);
  };
  for (const root of roots) add(root);
  return seen;
}

/** A module that gives every one of `names` when it is asked for it. */
const register = (property, names) =>
  `exports.${property} = {\n${[...names].map((name) => `  ${JSON.stringify(name)}: () => require(${JSON.stringify(`./${name}`)}),\n`).join("")}};\n`;

/** Options for esbuild of the two halves. `options` are those of the whole, `setApart` a plugin of what is in neither. */
export async function split(options, setApart) {
  const whole = { ...options, entryPoints: { dagger: begins[0] }, plugins: [setApart], write: false, metafile: true, sourcemap: false };
  const { inputs } = (await build(whole)).metafile;
  for (const name of begins) if (inputs[name] === undefined) throw new Error(`${name} is not part of dagger: see tools/split.mjs`);
  const usual = closure(inputs, begins);
  const wanted = { usual: new Set(), rest: new Set() };
  for (const [name, { imports }] of Object.entries(inputs))
    for (const { path, external } of imports) {
      if (external || usual.has(name) === usual.has(path)) continue;
      wanted[usual.has(path) ? "usual" : "rest"].add(path);
    }
  const half = (name, contents, place) => ({
    ...options,
    entryPoints: undefined,
    stdin: { contents, resolveDir: resolve("."), sourcefile: `${name}.cjs` },
    plugins: [setApart, placed(place)],
  });
  return {
    usual: half("usual", `${register("usual", wanted.usual)}require("./${begins[0]}");\n`, (name, kind) =>
      kind === "dynamic-import" && inputs[name] !== undefined && !usual.has(name) ? `rest:${name}` : undefined,
    ),
    rest: half("rest", register("rest", wanted.rest), (name) => (usual.has(name) ? `usual:${name}` : undefined)),
  };
}
