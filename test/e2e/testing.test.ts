// dagger test on a real daemon: which components are tests, what their reports say, and what a CI reads of it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestReport } from "../../engine/index.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;

before(async () => {
  bench = await startBench();
});
after(() => bench?.end());

function config(name: string, text: string): string {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, "up.cue"),
    `package up\n\nimport ("cuellb.dev/op", "cuellb.dev/task")\n\n_task: task.#Task
_busybox: op.#FetchContainer & {ref: "busybox:latest"}\n${text}`,
  );
  return dir;
}

/** Tests that write a report, and end with an exit code. */
function reporting(xml: string, code = 0): string {
  return `task.#Test & {ref: "busybox:latest", script: """
    cat > /out/report.xml <<'END'
    ${xml.replaceAll("\n", "\n    ")}
    END
    exit ${code}
    """}`;
}

const failing = `<testsuite name="math" time="1.5"><testcase classname="sum" name="adds" time="0.5" file="sum_test.py" line="12"><failure message="3 is not 4">want 4
got 3</failure></testcase><testcase name="is fast" time="1"/><testcase name="later"><skipped message="not yet"/></testcase></testsuite>`;

const mixed = `
unit: ${reporting(failing, 1)}
lint: #up: [_busybox, op.#Exec & {args: ["true"], always: true}] @dagger(test)
broken: {
  #up: [_busybox, op.#Exec & {args: ["sh", "-c", "echo wrong >&2; exit 3"]}]
} @dagger(test)
own: {
  _ran: #up: [_busybox, op.#Exec & {args: ["sh", "-c", "mkdir /r; echo '<testsuites><testsuite name=\\"a\\"><testsuite name=\\"b\\"><testcase name=\\"one\\"/></testsuite></testsuite></testsuites>' > /r/b.xml; echo '<testsuite><testcase name=\\"two\\"/></testsuite>' > /r/c.xml; echo page > /r/index.html"]}]
  report: {#up: [op.#Load & {from: _ran}, op.#Subdir & {dir: "/r"}]} @dagger(report)
  #up: [op.#Load & {from: _ran}]
}
deploy: #up: [_busybox, op.#Exec & {args: ["sh", "-c", "echo deployed; exit 9"]}]
`;

test("all tests run although some fail, and nothing else; their reports make one table, one JSON and one JUnit file", async () => {
  const dir = config("mixed", mixed);
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("dagger-tests-"));
  const { code, stdout, stderr } = await bench.dagger(["test", dir, "--progress", "plain", "--junit", "all.xml"]);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^unit: math +3 +1 +1 +1\.5s$/m);
  assert.match(stdout, /^lint +1 +0 +0 /m);
  assert.match(stdout, /^broken +1 +1 +0 /m);
  assert.match(stdout, /^own: b +1 +0 +0 /m);
  assert.match(stdout, /^own +1 +0 +0 /m);
  assert.match(stdout, /^FAILED unit: math › sum › adds\n {2}at sum_test\.py:12\n {2}3 is not 4\n {2}want 4\n {2}got 3\n/m);
  assert.match(stdout, /^7 tests in 5 suites: 4 passed, 2 failed, 1 skipped$/m);
  assert.match(stderr, /error\[tests-failed\]: 2 of 7 tests failed, in unit, broken/);
  assert.match(stderr, /error\[command-failed\]: .* of broken ended with exit code 3/);
  assert.doesNotMatch(stderr, /deployed|of unit ended/);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith("dagger-tests-")),
    before,
  );

  const xml = readFileSync(join(bench.dir, "all.xml"), "utf8");
  assert.match(xml, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="dagger" tests="7" failures="1" errors="1" skipped="1"/);
  assert.match(xml, /<testsuite name="unit: math" tests="3" failures="1" errors="0" skipped="1" time="1\.5">/);
  assert.match(
    xml,
    /<testcase name="adds" classname="sum" time="0\.5" file="sum_test\.py" line="12"><failure message="3 is not 4">want 4\ngot 3</,
  );

  const json = await bench.dagger(["test", dir, "--progress", "quiet", "--output", "json"]);
  const report = JSON.parse(json.stdout) as TestReport;
  assert.deepEqual([report.tests, report.failed, report.skipped], [7, 2, 1]);
  assert.equal(json.code, 1);
});

test("one test runs alone by its path, and succeeds with 0", async () => {
  const dir = config("alone", mixed);
  const { code, stdout, stderr } = await bench.dagger(["test", dir, "-t", "own", "--progress", "plain"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^2 tests in 2 suites: 2 passed, 0 failed$/m);
  assert.doesNotMatch(stderr, /of broken|\[lint\]/);
});

test("a config without tests, a target without tests and a target that is not there are wrong input", async () => {
  const dir = config("none", `app: #up: [_busybox]\n`);
  const none = await bench.dagger(["test", dir]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /error\[no-tests\]: The config has no tests\n.*@dagger\(test\)/s);
  assert.match((await bench.dagger(["test", dir, "-t", "app"])).stderr, /error\[no-tests\]: There are no tests in app/);
  assert.match((await bench.dagger(["test", dir, "-t", "ap"])).stderr, /error\[unknown-target\]/);
  const nowhere = await bench.dagger(["test", config("well", `lint: #up: [_busybox] @dagger(test)\n`), "--junit", "no/such/dir.xml"]);
  assert.equal(nowhere.code, 2, nowhere.stderr);
  assert.match(nowhere.stderr, /Cannot write .*dir\.xml/);
});

test("reports that are cut off, missing or contradict the exit code are failures that say so", async () => {
  const dir = config(
    "bad",
    `cut: ${reporting("<testsuite><testcase name='x'>")}
silent: task.#Test & {ref: "busybox:latest", script: "true"}
liar: ${reporting("<testsuite><testcase name='fine'/></testsuite>", 4)}
other: ${reporting("1..2", 0)}
`,
  );
  const { code, stdout } = await bench.dagger(["test", dir, "--progress", "quiet"]);
  assert.equal(code, 1);
  assert.match(stdout, /ERROR cut.*\n.*Cannot read the report report\.xml: /);
  assert.match(stdout, /ERROR silent\n.*of silent ended with exit code 1/);
  assert.match(stdout, /ERROR liar\n.*their report tells of none: .*of liar ended with exit code 4/);
  assert.match(stdout, /^other +1 +0 /m);
});

test("a secret that a test prints into its report is not told", async () => {
  const dir = config(
    "secret",
    `leak: {
  _ran: #up: [_busybox, op.#Exec & {args: ["sh", "-c", "mkdir /r; echo \\"<testsuite><testcase name='leaks'><failure message='got $(cat /s)'/></testcase></testsuite>\\" > /r/r.xml"], mount: "/s": {secret: "token"}, always: true}]
  report: {#up: [op.#Load & {from: _ran}, op.#Subdir & {dir: "/r"}]} @dagger(report)
  #up: [op.#Load & {from: _ran}]
}
`,
  );
  const secret = "s3cr3t-of-the-test";
  const { code, stdout } = await bench.dagger(["test", dir, "--secret", "token=env:TOKEN", "--junit", "leak.xml", "--progress", "quiet"], {
    TOKEN: secret,
  });
  assert.equal(code, 1);
  assert.match(stdout, /FAILED leak › leaks/);
  assert.ok(!stdout.includes(secret));
  assert.ok(existsSync(join(bench.dir, "leak.xml")) && !readFileSync(join(bench.dir, "leak.xml"), "utf8").includes(secret));
});
