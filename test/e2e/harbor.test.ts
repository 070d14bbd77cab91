// The example that has a build, data and stages in one graph: what runs in the first run, in the next ones, and after each kind of change.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { debianRoot } from "../support/images.ts";
import { type Bench, type Outcome, repository, runDagger, startBench } from "./dagger.ts";

let bench: Bench;
let dir: string;
let environment: Readonly<Record<string, string>>;

before(async () => {
  bench = await startBench();
  const imported = await bench.dagger(["image", "import", "docker.io/library/debian:bookworm", await debianRoot()]);
  assert.equal(imported.code, 0, imported.stderr);
  dir = join(bench.dir, "harbor");
  cpSync(join(repository, "examples/harbor"), dir, { recursive: true });
  const own = { HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), BUILDKIT_HOST: bench.daemon.address };
  environment = { PATH: process.env["PATH"] ?? "", NO_COLOR: "1", ...own };
});
after(() => bench?.end());

function dagger(...args: readonly string[]): Promise<Outcome> {
  return runDagger(args, dir, environment);
}

interface Result {
  readonly computed: Readonly<Record<string, unknown>>;
  readonly passes: readonly unknown[];
  readonly steps: { readonly run: number };
}

interface Line {
  readonly type: string;
  readonly state?: string;
  readonly step?: { readonly name: string; readonly component: string };
}

/** A run that succeeds: its result, and the components whose commands were executed. */
async function up(): Promise<Result & { readonly executed: readonly string[] }> {
  const { code, stdout, stderr } = await dagger("up", "--output", "json", "--progress", "json");
  assert.equal(code, 0, stderr);
  const lines = stderr.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
  const done = lines.filter(({ type, state, step }) => type === "step" && state === "done" && step?.name.startsWith("exec ") === true);
  const executed = new Set(done.map(({ step }) => (step?.component ?? "").replace(/\._(ran|runs)\b/, "")));
  return { ...(JSON.parse(stdout) as Result), executed: [...executed].sort() };
}

function states({ computed }: Result): Record<string, string> {
  const stages = ["quays", "service", "board", "watch"];
  return Object.fromEntries(stages.map((name) => [name, (computed[`site.results.${name}`] as { state: string }).state]));
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(join(dir, file), "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(join(dir, file), text.replace(from, to));
}

const stages = ["site.board", "site.quays", "site.service", "site.watch"];

test("a program is built and tested, makes tables of a source's version, and both are deployed, in one pass", async () => {
  const { code, stderr } = await dagger("source", "refresh", "arrivals");
  assert.equal(code, 0, stderr);
  const first = await up();
  assert.equal(first.passes.length, 1);
  assert.deepEqual(first.executed, ["bronze", "build", "silver", ...stages, "test"]);
  assert.equal(first.computed["bronze.outputs.rows.value"], 6);
  assert.deepEqual(first.computed["silver.outputs.figures.value"], { ships: 6, longest: 40 });
  assert.deepEqual(states(first), { quays: "done", service: "done", board: "done", watch: "done" });
  assert.match(readFileSync(join(dir, "reports/report.xml"), "utf8"), /tests="4" failures="0"/);
  const plan = readFileSync(join(dir, "dist/plan"), "utf8");
  assert.match(plan, /^ship,berth,from,to,waits\nAurora,1,370,460,0\nBorealis,2,400,520,0\nCormorant,1,460,505,35\n/);
  assert.match(readFileSync(join(dir, "output/board/index.html"), "utf8"), /<td>Cormorant<\/td><td>berth 1<\/td>/);
  const told = execFileSync("sh", [join(dir, "output/service/start.sh")], { input: "Ada,0,10\n", encoding: "utf8" });
  assert.match(told, /^Ada,1,0,10,0$/m);
});

test("nothing of it is built or deployed again: first the stages look at what they left, then all of it comes from the cache", async () => {
  const second = await up();
  assert.deepEqual(second.executed, stages);
  assert.deepEqual(states(second), { quays: "current", service: "current", board: "current", watch: "current" });
  const third = await up();
  assert.deepEqual([third.executed, third.steps.run], [[], 0]);
});

test("a new version of the data runs the tables and what shows them, and not the build", async () => {
  appendFileSync(join(dir, "arrivals/tuesday.csv"), "Gannet, 31:30, 20\n");
  const unseen = await dagger("up");
  assert.equal(unseen.code, 2);
  assert.match(unseen.stderr, /error\[version-gone\].*\n.*harbor\.cue:\d+:\d+/);
  assert.equal((await dagger("source", "refresh", "arrivals")).code, 0);
  const changed = await up();
  assert.deepEqual(changed.executed, ["bronze", "silver", "site.board", "site.watch"]);
  assert.deepEqual(changed.computed["silver.outputs.figures.value"], { ships: 7, longest: 70 });
  assert.deepEqual(states(changed), { quays: "current", service: "current", board: "done", watch: "done" });
  await up();
});

test("a change of the program runs its tests, the plan and the service, and not the table of ships", async () => {
  change("berth/berth.c", "#define MOST 16", "#define MOST 32");
  const changed = await up();
  assert.deepEqual(changed.executed, ["build", "silver", "site.service", "site.watch", "test"]);
  assert.deepEqual(states(changed), { quays: "current", service: "done", board: "current", watch: "done" });
  await up();
});

test("the outputs of the run say which version of the data they were made from", async () => {
  const { code, stdout, stderr } = await dagger("output", "list", "--output", "json");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"arrivals": "sha256:[0-9a-f]{64}"/);
});

test("where the plan does not hold what is said of it the run fails, and what was deployed stays as it was", async () => {
  appendFileSync(join(dir, "arrivals/tuesday.csv"), "Heron, 31:31, 500\nIbis, 31:32, 500\nJackdaw, 31:33, 500\n");
  assert.equal((await dagger("source", "refresh", "arrivals")).code, 0);
  const { code, stderr } = await dagger("up", "--progress", "plain");
  assert.equal(code, 1, stderr);
  assert.match(stderr, /silver\.outputs\.figures\.value\.longest/);
  assert.match(stderr, /harbor\.cue:\d+:\d+/);
  assert.doesNotMatch(readFileSync(join(dir, "output/board/index.html"), "utf8"), /Jackdaw/);
});

test("the stages are taken down in reverse, by themselves", async () => {
  const { code, stderr } = await dagger("stage", "down", ".", "--progress", "plain");
  assert.equal(code, 0, stderr);
  assert.equal(existsSync(join(dir, "output/board")), false);
  assert.equal(existsSync(join(dir, "output/quays")), false);
});
