// The door of tests.
export { writeJunit } from "./junit.ts";
export { isFailure, type TestCase, type TestReport, type TestSuite } from "./report.ts";
export { type TestRun, test, testRun, withReports } from "./run.ts";
