// Who may import whom: the table of docs/architecture.md as rules. Type imports count. `npm run lint` runs it; test/lint proves it bites.
"use strict";

/** Product code of a layer: its tests may reach further, so that they can run on real parts. */
const product = (layer, except = []) => ({ path: `^${layer}/`, pathNot: ["[.]test[.]ts$", ...except] });

/** What a layer may import, as patterns on resolved paths; node_modules and Node's own modules are told apart by rules of their own. */
const layers = {
  proto: { from: product("proto"), may: ["^proto/gen/"], npm: ["@bufbuild/protobuf"], node: [] },
  compiler: { from: product("compiler", ["^compiler/llb/"]), may: ["^compiler/"], npm: [], node: ["crypto"] },
  "compiler-llb": { from: product("compiler/llb"), may: ["^compiler/", "^proto/gen/"], npm: ["@bufbuild/protobuf"], node: ["crypto"] },
  runtime: {
    from: product("runtime"),
    may: ["^runtime/", "^proto/gen/", "^compiler/value[.]ts$", "^compiler/diagnostic[.]ts$"],
    npm: ["@bufbuild/protobuf", "tar-stream", "yauzl"],
    node: "any",
  },
  engine: {
    from: product("engine"),
    may: ["^engine/", "^compiler/index[.]ts$", "^runtime/[^/]+/index[.]ts$", "^runtime/(beside|directories|http|lock|slots)[.]ts$"],
    npm: [
      "@viz-js/viz",
      "age-encryption",
      "jsonc-parser",
      "yaml",
      "kysely",
      "pg",
      "@photostructure/sqlite",
      "@parcel/watcher",
      "@xmldom/xmldom",
      "croner",
    ],
    node: "any",
  },
  cli: { from: product("cli"), may: ["^cli/", "^engine/"], npm: ["commander", "yaml"], node: "any" },
};

const npmPath = (names) => names.map((name) => `^node_modules/(@types/)?${name}(/|$)`);

const rules = Object.entries(layers).flatMap(([name, { from, may, npm, node }]) => [
  {
    name: `${name}-layers`,
    severity: "error",
    comment: `${name} may import only ${may.join(", ")} of this repository`,
    from,
    to: { dependencyTypesNot: ["core"], couldNotResolve: false, path: "^", pathNot: [...may, "^node_modules/"] },
  },
  {
    name: `${name}-npm`,
    severity: "error",
    comment: `${name} may import only these packages: ${npm.join(", ") || "none"}`,
    from,
    to: { path: "^node_modules/", pathNot: npmPath(npm.concat("node")) },
  },
  ...(node === "any"
    ? []
    : [
        {
          name: `${name}-node`,
          severity: "error",
          comment: `${name} may import only these Node modules: ${node.join(", ") || "none"}`,
          from,
          to: { dependencyTypes: ["core"], pathNot: node.map((module) => `^(node:)?${module}$`) },
        },
      ]),
]);

module.exports = {
  forbidden: [
    ...rules,
    {
      name: "runtime-doors",
      severity: "error",
      comment: "one part of runtime uses another through its index.ts; runtime/grpc and the files beside the parts are common ground",
      from: { path: "^runtime/([^/]+)/", pathNot: ["[.]test[.]ts$"] },
      to: { path: "^runtime/([^/]+)/", pathNot: ["^runtime/$1/", "^runtime/[^/]+/index[.]ts$", "^runtime/grpc/", "^runtime/[^/]+[.]ts$"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      comment: "two files that need each other are one file, or a third is hiding in them",
      from: { pathNot: "^proto/gen/" },
      to: { circular: true },
    },
    {
      name: "nobody-imports-tests",
      severity: "error",
      from: { pathNot: ["^test/", "[.]test[.]ts$"] },
      to: { path: ["^test/", "[.]test[.]ts$"] },
    },
    { name: "tests-are-leaves", severity: "error", from: {}, to: { path: "[.]test[.]ts$" } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-dev-packages-in-the-product",
      severity: "error",
      from: { path: "^(compiler|runtime|engine|cli|proto)/", pathNot: "[.]test[.]ts$" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "^node_modules/" },
    exclude: { path: "^(dist|proto/src)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
    builtInModules: { override: [...require("node:module").builtinModules.flatMap((module) => [module, `node:${module}`]), "node:test"] },
  },
};
