// runtime/cue reads packages as CUE's own loader does: for random module trees both give the same value, or both an error.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { UserError } from "../../compiler/diagnostic.ts";
import { createEvaluator, type Evaluator, readSource } from "../../runtime/cue/index.ts";
import { randomTree, type Tree } from "./random-tree.ts";

const TREES = Number(process.env["CUE_ORACLE_TREES"] ?? 200);
const SEED = Number(process.env["CUE_ORACLE_SEED"] ?? 1);

/** What one of the two says; `value` is JSON. */
interface Answer {
  readonly value?: unknown;
  readonly error?: string;
  readonly crashed?: boolean;
}

let dir: string;
let program: string;
let evaluator: Evaluator;

before(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "cue-oracle-"));
  program = path.join(dir, "cue-oracle");
  await promisify(execFile)("go", ["build", "-o", program, "."], { cwd: import.meta.dirname });
  evaluator = await createEvaluator({ wasm: path.resolve(import.meta.dirname, "../../dist/cue.wasm"), follow: [] });
});
after(async () => {
  await evaluator.close();
  rmSync(dir, { recursive: true });
});

function write(root: string, tree: Tree): void {
  for (const [name, content] of Object.entries(tree.files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === "string") writeFileSync(file, content);
    else if ("link" in content) symlinkSync(content.link, file);
    else mkdirSync(file, { recursive: true });
  }
}

async function ours(root: string, tree: Tree): Promise<Answer> {
  const target = path.join(root, tree.target, tree.file ?? "");
  try {
    const options = { cwd: root, library: path.join(dir, "no-library"), tags: tree.tags, injectVars: tree.vars };
    const evaluation = await evaluator.load(await readSource(evaluator, target, options));
    return { value: evaluation.exportJson() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    for (const d of error.diagnostics) assert.ok(d.message !== "", JSON.stringify(d));
    return { error: error.diagnostics.map((d) => `${d.code}: ${d.message} ${JSON.stringify(d.at)}`).join("\n") };
  }
}

async function theirs(requests: readonly object[]): Promise<Answer[]> {
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const output = text(child.stdout);
  child.stdin.end(requests.map((r) => `${JSON.stringify(r)}\n`).join(""));
  return (await output)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

test(`random module trees are loaded as by cue/load (CUE_ORACLE_TREES=${TREES} CUE_ORACLE_SEED=${SEED})`, async () => {
  const trees = Array.from({ length: TREES }, (_, i) => ({
    seed: SEED + i,
    tree: randomTree(SEED + i),
    root: path.join(dir, String(SEED + i)),
  }));
  for (const { root, tree } of trees) write(root, tree);
  const expected = await theirs(
    trees.map(({ root, tree }) => ({
      dir: path.join(root, tree.target),
      files: tree.file ? [tree.file] : [],
      tags: tree.tags,
      vars: tree.vars,
    })),
  );
  const wrong: string[] = [];
  for (const [i, { seed, tree, root }] of trees.entries()) {
    const want = expected[i] as Answer;
    const got = await ours(root, tree);
    // CUE's own loader crashes on a few: then there is nothing to compare with.
    const same = want.crashed || (want.error !== undefined ? got.error !== undefined : agree(got.value, want.value));
    if (!same) wrong.push(`seed ${seed}, ${tree.file ?? tree.target}\n  cue: ${JSON.stringify(want)}\n  ours: ${JSON.stringify(got)}`);
  }
  assert.deepEqual(wrong, []);
  const values = expected.filter((a) => a.error === undefined).length;
  assert.ok(values > TREES / 3, `only ${values} of ${TREES} trees have a value`);
  const crashed = expected.filter((a) => a.crashed).length;
  assert.ok(crashed <= TREES / 10, `cue crashes on ${crashed} of ${TREES} trees`);
});

/** Numbers beyond JavaScript's are not made here; the order of fields shows in lists of their labels. */
function agree(got: unknown, want: unknown): boolean {
  try {
    assert.deepEqual(got, want);
    return true;
  } catch {
    return false;
  }
}
