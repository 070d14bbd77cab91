// Proves that the import rules bite: a small repository with forbidden imports is checked with the product's own rules.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const made: string[] = [];
after(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/** Enough of a package to be imported. */
function fakePackage(name: string): [path: string, text: string][] {
  return [
    [`node_modules/${name}/package.json`, `{ "name": "${name}", "type": "module", "main": "index.js" }`],
    [`node_modules/${name}/index.js`, "export default 1;\nexport const Command = 1, build = 1;"],
  ];
}

/** Runs dependency-cruiser over `files` (path → text) and gives the broken rules as `rule: from → to`. */
function cruise(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "layers-"));
  made.push(root);
  const all: Record<string, string> = {
    "package.json": '{ "type": "module", "dependencies": { "commander": "*", "tar-stream": "*" }, "devDependencies": { "esbuild": "*" } }',
    "tsconfig.json": '{ "compilerOptions": { "module": "NodeNext", "allowImportingTsExtensions": true, "noEmit": true } }',
    ...Object.fromEntries(["commander", "tar-stream", "esbuild"].flatMap(fakePackage)),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const folders = [...new Set(Object.keys(files).map((path) => path.split("/")[0] ?? ""))];
  const args = [
    join(repository, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
    "--config",
    join(repository, ".dependency-cruiser.cjs"),
  ];
  const run = spawnSync(process.execPath, [...args, "--output-type", "json", ...folders], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const report = JSON.parse(run.stdout) as { summary: { violations: { from: string; to: string; rule: { name: string } }[] } };
  return report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort();
}

test("imports that follow the table are accepted", () => {
  assert.deepEqual(
    cruise({
      "proto/gen/pb.ts": "export interface Op { id: string }",
      "compiler/value.ts": "export interface Value { path: string }",
      "compiler/diagnostic.ts": "export class UserError extends Error {}",
      "compiler/llb/marshal.ts":
        'import { createHash } from "node:crypto";\nimport type { Op } from "../../proto/gen/pb.ts";\nexport const x = (op: Op): string => createHash("sha256").update(op.id).digest("hex");',
      "compiler/index.ts": 'export { x } from "./llb/marshal.ts";\nexport type { Value } from "./value.ts";',
      "runtime/images/index.ts":
        'import tar from "tar-stream";\nimport { readFileSync } from "node:fs";\nimport { UserError } from "../../compiler/diagnostic.ts";\nexport const y = [tar, readFileSync, UserError];',
      "engine/index.ts":
        'import { x } from "../compiler/index.ts";\nimport { y } from "../runtime/images/index.ts";\nexport const up = [x, y];',
      "cli/main.ts": 'import { Command } from "commander";\nimport { up } from "../engine/index.ts";\nexport const run = [up, Command];',
      "cli/main.test.ts": 'import { y } from "../runtime/images/index.ts";\nimport "../test/support/x.ts";\nexport const z = y;',
      "test/support/x.ts": 'import "../../runtime/images/index.ts";',
    }),
    [],
  );
});

test("a compiler that reads files, speaks the protocol outside llb, or knows the runtime is refused", () => {
  assert.deepEqual(
    cruise({
      "proto/gen/pb.ts": "export interface Op { id: string }",
      "runtime/solve/index.ts": "export interface Build { id: string }",
      "compiler/a.ts": 'import { readFileSync } from "node:fs";\nexport const a = readFileSync;',
      "compiler/b.ts": 'import type { Op } from "../proto/gen/pb.ts";\nexport const b: Op = { id: "" };',
      "compiler/llb/c.ts": 'import type { Build } from "../../runtime/solve/index.ts";\nexport const c: Build = { id: "" };',
      "compiler/d.ts": 'import tar from "tar-stream";\nexport const d = tar;',
    }),
    [
      "compiler-layers: compiler/b.ts → proto/gen/pb.ts",
      "compiler-llb-layers: compiler/llb/c.ts → runtime/solve/index.ts",
      "compiler-node: compiler/a.ts → fs",
      "compiler-npm: compiler/d.ts → node_modules/tar-stream/index.js",
    ],
  );
});

test("a runtime that knows ops, and parts of it that pass by each other's door, are refused", () => {
  assert.deepEqual(
    cruise({
      "compiler/ops/exec.ts": "export interface Exec { args: string[] }",
      "runtime/session/health.ts": "export const h = 1;",
      "runtime/solve/a.ts": 'import type { Exec } from "../../compiler/ops/exec.ts";\nexport const a: Exec = { args: [] };',
      "runtime/solve/b.ts": 'import { h } from "../session/health.ts";\nexport const b = h;',
    }),
    ["runtime-doors: runtime/solve/b.ts → runtime/session/health.ts", "runtime-layers: runtime/solve/a.ts → compiler/ops/exec.ts"],
  );
});

test("an engine that passes by a door, and a cli that passes by the engine, are refused", () => {
  assert.deepEqual(
    cruise({
      "proto/gen/pb.ts": "export const p = 1;",
      "compiler/job.ts": "export interface Job { id: string }",
      "runtime/images/store.ts": "export const s = 1;",
      "runtime/images/index.ts": 'export { s } from "./store.ts";',
      "engine/a.ts": 'import type { Job } from "../compiler/job.ts";\nexport const a: Job = { id: "" };',
      "engine/b.ts": 'import { s } from "../runtime/images/store.ts";\nexport const b = s;',
      "engine/c.ts": 'import { p } from "../proto/gen/pb.ts";\nexport const c = p;',
      "cli/main.ts": 'import { s } from "../runtime/images/index.ts";\nexport const m = s;',
      "cli/bundle.ts": 'import { build } from "esbuild";\nexport const b = build;',
    }),
    [
      "cli-layers: cli/main.ts → runtime/images/index.ts",
      "cli-npm: cli/bundle.ts → node_modules/esbuild/index.js",
      "engine-layers: engine/a.ts → compiler/job.ts",
      "engine-layers: engine/b.ts → runtime/images/store.ts",
      "engine-layers: engine/c.ts → proto/gen/pb.ts",
      "no-dev-packages-in-the-product: cli/bundle.ts → node_modules/esbuild/index.js",
    ],
  );
});

test("cycles, imports of tests and imports of nothing are refused", () => {
  assert.deepEqual(
    cruise({
      "engine/a.ts": 'import type { B } from "./b.ts";\nexport interface A { b: B }',
      "engine/b.ts": 'import type { A } from "./a.ts";\nexport interface B { a: A }',
      "engine/c.ts": 'import { t } from "./c.test.ts";\nexport const c = t;',
      "engine/c.test.ts": "export const t = 1;",
      "engine/d.ts": 'import { gone } from "./gone.ts";\nexport const d = gone;',
    }),
    [
      "no-cycles: engine/a.ts → engine/b.ts",
      "nobody-imports-tests: engine/c.ts → engine/c.test.ts",
      "resolvable: engine/d.ts → ./gone.ts",
      "tests-are-leaves: engine/c.ts → engine/c.test.ts",
    ],
  );
});
