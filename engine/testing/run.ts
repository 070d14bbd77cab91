// dagger test: runs the tests of a config, each whatever becomes of the others.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "../../compiler/index.ts";
import type { UpResult } from "../events.ts";
import { KeptError } from "../passes/keep-going.ts";
import type { UpRequest } from "../request.ts";
import { up } from "../up.ts";
import { isFailure, reportOf, type TestReport } from "./report.ts";
import { isWithin } from "./testing.ts";

/** A run of tests: what it gave, also where something of it failed. */
export interface TestRun {
  readonly result: UpResult;
  readonly report: TestReport;
  /** What failed, but for what reports of tests say themselves. */
  readonly findings: readonly Diagnostic[];
}

/** Throws as `up`, but for failures of the tests themselves; UserError (2) `no-tests` where there are none. */
export async function test(request: UpRequest): Promise<TestRun> {
  return withReports(async (reports) => {
    try {
      return testRun(await up({ ...request, reports }), []);
    } catch (error) {
      if (error instanceof KeptError) return testRun(error.result, error.diagnostics);
      throw error;
    }
  });
}

/** What a run of tests comes to, of its result and of what failed. */
export function testRun(result: UpResult, findings: readonly Diagnostic[]): TestRun {
  const report = result.tests ?? reportOf([]);
  const told = report.suites.filter(({ whole, cases }) => whole !== true && cases.some(isFailure));
  const isTold = ({ path }: Diagnostic): boolean => path !== undefined && told.some(({ component }) => isWithin(path, component));
  return { result, report, findings: findings.filter((one) => !isTold(one)) };
}

/** A directory for the reports of runs, as long as `use` goes on. */
export async function withReports<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "dagger-tests-"));
  try {
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
