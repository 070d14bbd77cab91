// JUnit's XML of several test runners, and what is written of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readJunit, writeJunit } from "./junit.ts";
import { reportOf } from "./report.ts";

test("a report of pytest has the file and line of what failed in its text", () => {
  const [suite] = readJunit(
    `<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="0" failures="1" skipped="0" tests="1" time="0.021">
<testcase classname="tests.test_sum" name="test_adds" time="0.001"><failure message="assert 3 == 4">def test_adds():
&gt;       assert 1 + 2 == 4
E       assert 3 == 4

tests/test_sum.py:2: AssertionError</failure></testcase></testsuite></testsuites>`,
    "unit",
  );
  assert.equal(suite?.name, "pytest");
  assert.equal(suite.seconds, 0.021);
  const [one] = suite.cases;
  assert.deepEqual([one?.outcome, one?.message, one?.file, one?.line], ["failed", "assert 3 == 4", "tests/test_sum.py", 2]);
});

test("a report of go-junit-report has no place but in the text of what failed, and errors of a build are errors", () => {
  const [suite] = readJunit(
    `<testsuites><testsuite name="example.test/app" time="0.1"><testcase name="TestSum" classname="app" time="0.000"><failure message="Failed" type=""><![CDATA[    sum_test.go:7: want 4, got 3]]></failure></testcase>
<testcase name="[build failed]" classname="app"><error message="Build error"/></testcase></testsuite></testsuites>`,
    "unit",
  );
  assert.deepEqual(
    suite?.cases.map(({ outcome, file, line }) => [outcome, file, line]),
    [
      ["failed", "sum_test.go", 7],
      ["error", undefined, undefined],
    ],
  );
});

test("times with commas, suites without a name or without tests, and addresses that look like places are read as what they are", () => {
  const suites = readJunit(
    `<testsuite time="1,234.5"><testcase name="a"><failure>dial http://127.0.0.1:80 refused</failure></testcase><testsuite name="empty"/></testsuite>`,
    "unit",
  );
  assert.deepEqual(
    suites.map(({ name, seconds, cases }) => [name, seconds, cases.length]),
    [
      ["unit", 1234.5, 1],
      ["empty", 0, 0],
    ],
  );
  assert.equal(suites[0]?.cases[0]?.file, undefined);
});

test("what is no XML or no report is refused", () => {
  assert.throws(() => readJunit("<testsuite><testcase></testsuite>", "unit"), /testcase/);
  assert.throws(() => readJunit("<html/>", "unit"), /its root is <html>/);
  assert.throws(() => readJunit('<!DOCTYPE x [<!ENTITY a "b">]><testsuite name="&a;">', "unit"));
});

test("what is written can be read, also with colours and characters that XML has no way to write", () => {
  const text = "\u001b[31mwant\u001b[0m 1 < 2 & ]]> \u0000 \"x\" 'y'";
  const suites = [
    {
      component: "unit",
      name: "a",
      seconds: 2,
      cases: [
        { name: '<&">', group: "g", seconds: 1, outcome: "failed", message: text, text, file: "a.ts", line: 3 },
        { name: "skipped", group: "", seconds: 0, outcome: "skipped" },
      ],
    },
  ] as const;
  const [read] = readJunit(writeJunit(reportOf(suites)), "again");
  assert.equal(read?.name, "unit: a");
  assert.deepEqual(read.cases[0], {
    name: '<&">',
    group: "g",
    seconds: 1,
    outcome: "failed",
    message: "want 1 < 2 & ]]> \ufffd \"x\" 'y'",
    text: "want 1 < 2 & ]]> \ufffd \"x\" 'y'",
    file: "a.ts",
    line: 3,
  });
  assert.equal(read.cases[1]?.outcome, "skipped");
});
