// Runs the example of the package task for real, and what happens to it when something in it is wrong.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { busyboxLayout, debianRoot } from "../support/images.ts";
import { type Bench, type Outcome, repository, startBench } from "./dagger.ts";

let bench: Bench;
let dir: string;

before(async () => {
  bench = await startBench();
  for (const tag of ["bookworm", "bookworm-slim"]) {
    const imported = await bench.dagger(["image", "import", `docker.io/library/debian:${tag}`, await debianRoot()]);
    assert.equal(imported.code, 0, imported.stderr);
  }
  dir = join(bench.dir, "devster");
});
after(() => bench?.end());

beforeEach(() => {
  rmSync(dir, { recursive: true, force: true });
  cpSync(join(repository, "examples/devster"), dir, { recursive: true });
});

/** Runs the example, whose secret a script of it tells. */
function up(...flags: readonly string[]): Promise<Outcome> {
  const secret = `project-c-build-secret=cmd:${join(dir, "build/get_token.sh")}`;
  return bench.dagger(["up", dir, "--allow-host", "--secret", secret, "--progress", "plain", ...flags]);
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(join(dir, file), "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(join(dir, file), text.replace(from, to));
}

test("the example runs: recipes, an image with a secret in its build, tables of each other, tests with a report", async () => {
  const { code, stdout, stderr } = await up("--output", "json");
  assert.equal(code, 0, stderr);
  const { computed, passes } = JSON.parse(stdout) as { computed: unknown; passes: unknown[] };
  assert.deepEqual(computed, {
    "imageScanner.outputs.findings.value": 0,
    "bronze.outputs.rows.value": 5,
    "oslo.outputs.count.value": 2,
    "silver.outputs.figures.value": { warmest: "Lisbon", mean: 10.7 },
  });
  assert.equal(passes.length, 1);
  assert.equal(execFileSync(join(dir, "dist/greet"), ["Ada"], { encoding: "utf8" }), "Hello, Ada\n");
  assert.match(readFileSync(join(dir, "dist/chart"), "utf8"), /^Lisbon {4}#{18}\n/);
  assert.match(readFileSync(join(dir, "reports/report.xml"), "utf8"), /failures="0"/);

  const again = await up("--output", "json");
  assert.equal((JSON.parse(again.stdout) as { steps: { run: number } }).steps.run, 0, again.stderr);
});

/** Components of the example whose processes a run starts. */
async function executed(): Promise<readonly string[]> {
  const { code, stderr } = await up("--progress", "json");
  assert.equal(code, 0, stderr);
  interface Line {
    readonly type: string;
    readonly state?: string;
    readonly step?: { readonly name: string; readonly component: string };
  }
  const lines = stderr.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
  const done = lines.filter(({ type, state, step }) => type === "step" && state === "done" && /^exec | RUN /.test(step?.name ?? ""));
  return [...new Set(done.map(({ step }) => (step?.component ?? "").replace("._ran", "")))].sort();
}

test("a change runs what it concerns again, and nothing else", async () => {
  assert.equal((await up()).code, 0);
  writeFileSync(join(dir, "etl/readings.csv"), `${readFileSync(join(dir, "etl/readings.csv"), "utf8")}Oslo,4.5\n`);
  assert.deepEqual(await executed(), ["bronze", "oslo", "silver", "visualization"]);
  writeFileSync(join(dir, "project_c/src/index.html"), "<h1>Another page</h1>\n");
  assert.deepEqual(await executed(), ["imageScanner", "projectC"]);
  change("project_a/greet.c", "  return 0;", "  fflush(stdout);\n  return 0;");
  assert.deepEqual(await executed(), ["projectA.recipes.build", "projectA.recipes.test", "test"]);
});

test("one recipe of a Makefile runs alone", async () => {
  const { code, stderr } = await up("-t", "projectA.recipes.test");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /make -f \.\/Makefile test/);
  assert.doesNotMatch(stderr, /make -f \.\/Makefile build|bronze|projectC/);
});

test("a scan runs when it is named, and fails by what it finds", async () => {
  assert.equal((await up("-t", "scan.outputs")).code, 0);
  writeFileSync(join(dir, "project_b/id"), "-----BEGIN PRIVATE KEY-----\n");
  const { code, stderr } = await up("-t", "scan.outputs");
  assert.equal(code, 1);
  assert.match(stderr, /suspicious: \.\/project_b\/id/);
  assert.match(stderr, /Two different values for scan\.outputs\.findings\.value: 0 and 1/);
});

test("only the files that matter make a Dockerfile's image again", async () => {
  assert.equal((await up("-t", "projectC")).code, 0);
  writeFileSync(join(dir, "etl/readings.csv"), "Oslo,1.0\n");
  assert.ok(isCached(await up("-t", "projectC")));
  writeFileSync(join(dir, "project_c/src/index.html"), "<h1>Changed</h1>\n");
  assert.ok(!isCached(await up("-t", "projectC")));
});

/** Whether the last step of project C's Dockerfile came from the cache. */
function isCached({ code, stderr }: Outcome): boolean {
  assert.equal(code, 0, stderr);
  const [, step] = /^#(\d+) \[projectC\] \[stage-0 \d\/\d\] RUN/m.exec(stderr) ?? [];
  assert.notEqual(step, undefined, stderr);
  return new RegExp(`^#${step} CACHED$`, "m").test(stderr);
}

test("tests that fail fail the run once their report is saved, and a recipe that fails takes nothing from them", async () => {
  change("project_a/Makefile", "Hello, Ada", "Hello, Bob");
  change("tests/run.sh", '"" "Hello, world"', '"" "Hello, moon"');
  const { code, stderr } = await up("--keep-going");
  assert.equal(code, 1);
  assert.match(readFileSync(join(dir, "reports/report.xml"), "utf8"), /failures="1".*got Hello, world/);
  assert.match(stderr, /error\[command-failed\]: .* of test ended with exit code 1\n +--> .*devster\.cue:\d+:1\n.*\n.*test: task\.#Test/);
  assert.match(stderr, /The tests failed: read their report, or the log of their step/);
  assert.match(stderr, /To the team:.*"status": ?"failure"/s);
  assert.match(stderr, /hooks: .*alert .*on error/);
  assert.doesNotMatch(stderr, /MaxListenersExceededWarning/);
  assert.match(stderr, /error\[command-failed\]: `exec make .* test .*\n +--> .*devster\.cue:\d+:\d+\n.*\n.*recipes: test:/);
});

test("tests without a report fail, whatever their exit code", async () => {
  change("tests/run.sh", "> /out/report.xml", "> /dev/null");
  const { code, stderr } = await up("-t", "test");
  assert.equal(code, 1);
  assert.match(stderr, /The tests wrote no report to \/out\/report\.xml/);
});

test("a table that is too short breaks the post-condition, at its line", async () => {
  writeFileSync(join(dir, "etl/readings.csv"), "Oslo,1.0\n");
  const { code, stderr } = await up("-t", "bronze.outputs");
  assert.equal(code, 1);
  assert.match(stderr, /The value of bronze\.outputs\.rows\.value is 1, but must be >=4\n +--> .*devster\.cue:\d+:\d+\n.*\n.*rows:/);
});

test("an output that a task does not leave is told at its line", async () => {
  change("etl/bronze.py", "/out/table", "/out/tabel");
  const { code, stderr } = await up("-t", "bronze.outputs");
  assert.equal(code, 1);
  assert.match(stderr, /of bronze\.outputs\.table failed: .*\n +--> .*devster\.cue:\d+:\d+\n.*\n.*outputs: table:/);
});

test("a secret that nobody gives is asked for before anything runs", async () => {
  const { code, stderr } = await bench.dagger(["up", dir, "--progress", "plain"]);
  assert.equal(code, 2);
  assert.match(stderr, /project-c-build-secret/);
  assert.ok(!existsSync(join(dir, "dist")));
});

test("without an image, a Makefile's recipes start from one with compilers, and a task from busybox", async () => {
  const shell = (await busyboxLayout()).dir;
  for (const image of ["buildpack-deps:bookworm", "busybox:1.37"]) {
    const imported = await bench.dagger(["image", "import", `docker.io/library/${image}`, shell]);
    assert.equal(imported.code, 0, imported.stderr);
  }
  const config = join(bench.dir, "defaults");
  mkdirSync(config);
  const text = `package defaults
import "cuellb.dev/task"
app: task.#Makefile & {source: [{do: "scratch"}], flags: ["-s"], recipes: check: {}}
scan: task.#Task & {script: "ls"}
`;
  writeFileSync(join(config, "up.cue"), text);
  const { code, stdout, stderr } = await bench.dagger(["graph", config, "--format", "json"]);
  assert.equal(code, 0, stderr);
  for (const told of [
    "library/buildpack-deps:bookworm",
    "library/busybox:1.37",
    "make -s -f ./Makefile all",
    "make -s -f ./Makefile check",
  ])
    assert.ok(stdout.includes(told), `${told} is missing in ${stdout}`);
});

test("a task has time limits, tries, arguments, secrets, values and what runs before it; another goes on where it ended", async () => {
  const config = join(bench.dir, "parts");
  cpSync(join(repository, "examples/devster/build"), join(config, "build"), { recursive: true });
  writeFileSync(
    join(config, "up.cue"),
    `package parts

import ("cuellb.dev/op", "cuellb.dev/task")

shell: #up: [op.#FetchContainer & {ref: "docker.io/library/busybox:latest"}]
first: task.#Task & {
	image:  shell
	script: "printf %s \\"$1\\" > /out/word; echo kept > /kept"
	args: ["one word"]
	outputs: word: {format: "string", value: string}
}
flaky: task.#Task & {
	image:  shell
	script: "[ -e /again ] || { touch /again; exit 1; }; echo done > /out/done"
	retry: {count: 2, backoff: "1ms"}
	timeout: "10m"
	outputs: done: {}
}
slow: task.#Task & {
	image:   shell
	interpreter: []
	script:  "#!/bin/sh\\nexec sleep 1000"
	timeout: "100ms"
}
second: task.#Task & {
	image:  first
	source: [op.#Scratch, op.#WriteFile & {dest: "/a/in.txt", content: "in"}, op.#WriteFile & {dest: "/a/out.txt", content: "out"}]
	exclude: ["**/out.txt"]
	dir:    "a"
	script: "echo $(pwd) $(ls) $(cat /kept) $WORD $(ls /flaky) $(wc -c < /run/secrets/token) > /out/all"
	env: WORD: first.outputs.word.value
	upstream: flaky: {from: _done, path: "/flaky"}
	after: [first]
	secrets: token: {secret: "t"}
	outputs: all: {format: "string", value: "/src/a in.txt kept one word done 4\\n"}
}
_done: flaky.outputs.done
`,
  );
  const args = ["up", config, "--allow-host", "--secret", "t=cmd:printf abcd", "--progress", "plain"];
  const whole = await bench.dagger([...args, "-t", "second", "-t", "first", "-t", "flaky"]);
  assert.equal(whole.code, 0, whole.stderr);
  const slow = await bench.dagger([...args, "-t", "slow"]);
  assert.equal(slow.code, 1);
  assert.match(slow.stderr, /of slow\._ran ended with exit code 124/);
});
