// Typed lint: the rules that need types and that Biome cannot check. Everything else is Biome's (biome.json).
import tseslint from "typescript-eslint";

const layerIsSilent = (layer) => [
  { object: "process", property: "argv", message: `${layer} takes its input as parameters; argv belongs to cli/` },
  { object: "process", property: "stdout", message: `${layer} reports through events; stdout belongs to cli/` },
  { object: "process", property: "stderr", message: `${layer} reports through events; stderr belongs to cli/` },
  { object: "process", property: "exit", message: `${layer} throws; exit codes belong to cli/` },
];

const surroundingsAreGiven = [
  { object: "process", property: "env", message: "engine/ takes the environment from the request (Surroundings)" },
  { object: "process", property: "cwd", message: "engine/ takes the directory from the request (Surroundings)" },
];

export default tseslint.config(
  { ignores: ["dist/**", "proto/gen/**", "proto/src/**", "node_modules/**", "**/*.js", "**/*.cjs", "**/*.mjs"] },
  { linterOptions: { noInlineConfig: true } },
  {
    files: ["**/*.ts"],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { ts: tseslint.plugin },
    rules: {
      "ts/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "it", "describe", "suite", "before", "after"] }],
        },
      ],
      "ts/no-misused-promises": "error",
      "ts/await-thenable": "error",
      "ts/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "ts/no-explicit-any": "error",
      "ts/no-unsafe-argument": "error",
      "ts/no-unsafe-assignment": "error",
      "ts/no-unsafe-call": "error",
      "ts/no-unsafe-member-access": "error",
      "ts/no-unsafe-return": "error",
      "ts/only-throw-error": "error",
      "ts/prefer-promise-reject-errors": "error",
      "ts/no-unnecessary-type-assertion": "error",
      "ts/return-await": ["error", "in-try-catch"],
      "ts/ban-ts-comment": "error",
    },
  },
  {
    // The compiler has no clock and no randomness: the same input always gives the same bytes.
    files: ["compiler/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-globals": ["error", "process", "performance", "setTimeout", "setInterval", "setImmediate", "fetch", "console"],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "compiler/ has no clock: take the time as a parameter" },
        { object: "Math", property: "random", message: "compiler/ has no randomness: take it as a parameter" },
      ],
    },
  },
  {
    files: ["runtime/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: { "no-restricted-properties": ["error", ...layerIsSilent("runtime/")] },
  },
  {
    files: ["engine/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: { "no-restricted-properties": ["error", ...layerIsSilent("engine/"), ...surroundingsAreGiven] },
  },
);
