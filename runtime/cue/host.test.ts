// Evaluations that are too much for this thread: long ones, ones without end, ones that want all memory; and what is left of them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { UserError } from "../../compiler/diagnostic.ts";
import { createEvaluator, type EvaluatorOptions } from "./evaluate.ts";
import type { Source } from "./layout.ts";
import { repository } from "./testing.ts";

const wasm = path.join(repository, "dist/cue.wasm");
const child = fileURLToPath(new URL("../../test/support/evaluations-child.ts", import.meta.url));

const evaluator = (options: Partial<EvaluatorOptions> = {}) => createEvaluator({ wasm, follow: ["#up"], ...options });

function source(text: string): Source {
  return { dir: "/", packages: [{ importPath: "_", name: "", own: true, version: "", files: [{ name: "a.cue", text }], imports: {} }] };
}

const some = source('import "list"\nn: *1 | int\na: [for i in list.Range(0, 3000, 1) {x: "v\\(i + n)"}]');
/** Nine million structs. */
const explosion = source('import "list"\na: [for i in list.Range(0, 3000, 1) {[for j in list.Range(0, 3000, 1) {x: "\\(i * j)"}]}]');

const wrong = (code: string, exit: number) => (error: unknown) => {
  assert.ok(error instanceof UserError);
  assert.equal(error.exit, exit);
  assert.equal(error.diagnostics[0]?.code, code);
  return true;
};

test("an evaluation that takes longer than this thread may spend goes on in another one, and gives the same", async () => {
  const [patient, impatient] = [await evaluator(), await evaluator({ patience: 0 })];
  const fills = [{ path: "n", json: "7", origin: "-i n" }];
  const [here, there] = [await patient.load(some), await impatient.load(some)];
  assert.deepEqual(there.exportJson(), here.exportJson());
  assert.deepEqual((await there.fill(fills)).exportJson(), (await here.fill(fills)).exportJson());
  await Promise.all([patient.close(), impatient.close()]);
});

test("while a long evaluation runs, this thread does other things", async () => {
  const long = await evaluator({ patience: 0 });
  let ran = false;
  const evaluating = long.load(some).then(() => assert.ok(ran));
  setImmediate(() => setImmediate(() => (ran = true)));
  await evaluating;
  await long.close();
});

test("an evaluation without end is ended by the signal", async () => {
  const stop = new AbortController();
  const stopped = await evaluator({ patience: 0, signal: stop.signal });
  const timer = setInterval(() => stop.abort(), 500);
  await assert.rejects(stopped.load(explosion), wrong("interrupted", 130));
  clearInterval(timer);
  await stopped.close();
});

for (const [where, patience] of [
  ["in this thread", 1_000_000],
  ["in the other thread", 0],
] as const) {
  test(`a config that explodes ${where} is an error that says so, and the next one is evaluated`, async () => {
    const small = await evaluator({ patience, memoryLimit: 128 << 20 });
    await assert.rejects(small.load(explosion), wrong("cue-too-large", 2));
    assert.deepEqual((await small.load(source("a: 1 + 2"))).exportJson(), { a: 3 });
    await small.close();
  });
}

test("after its memory was given back, an evaluation is filled all the same", async () => {
  for (const patience of [0, 1_000_000]) {
    const released = await evaluator({ patience });
    const before = await released.load(some);
    await released.release();
    const filled = await before.fill([{ path: "n", json: "2", origin: "-i n" }]);
    assert.equal((filled.exportJson() as { a: { x: string }[] }).a[0]?.x, "v2");
    await released.close();
  }
});

test("an instance forgets what it evaluated before", async () => {
  const one = await evaluator();
  await one.load(source("a: #b\n#b: 1\n"));
  await assert.rejects(one.load(source("a: #b")), wrong("cue-reference", 2));
  await one.close();
});

test("twenty evaluations in one process take no more memory than the first few", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--import", "tsx", child, wasm]);
  const used = JSON.parse(stdout) as number[];
  assert.equal(used.length, 20);
  const [early, late] = [Math.max(...used.slice(1, 8)), Math.min(...used.slice(15))];
  assert.ok(late < early + 8, `MiB after each: ${used.map(Math.round).join(" ")}`);
});
