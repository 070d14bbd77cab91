// dagger test: runs the tests of a config, prints what they say, and writes it for servers of CI.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { TestRun } from "../../engine/index.ts";
import type { ComputeFlags, Context } from "../context.ts";
import { PrintedError, toFailure, UsageError } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { createProgress } from "../output/create.ts";
import { formatFailure } from "../output/failure.ts";
import { createStyle } from "../output/style.ts";
import { formatJson } from "../output/table.ts";
import { formatTests } from "../output/tests.ts";
import { plural } from "../output/units.ts";
import { typedInputs } from "./compute.ts";
import { readyToRun, requestOf, summarize } from "./up.ts";

export interface TestFlags extends ComputeFlags {
  readonly output: "text" | "json";
  readonly junit?: string;
}

/** The table, or the report as JSON, on stdout. Throws PrintedError `tests-failed`, with what failed beside tests. */
export async function testCommand(context: Context, dir: string | undefined, flags: TestFlags): Promise<void> {
  const { io, signal } = context;
  const place = await readyToRun(context, dir, flags);
  const { loadTesting } = await import("../../engine/index.ts");
  const { test } = await loadTesting();
  const progress = createProgress(flags.progress, io);
  let run: TestRun;
  try {
    const request = { ...requestOf(context, flags), ...place, typedInputs: typedInputs(flags) };
    run = await test({ ...request, onEvent: (event) => progress.event(event) });
  } catch (error) {
    progress.finish(toFailure(error, signal.aborted).exit === 130 ? "canceled" : "failed");
    throw error;
  }
  progress.finish(run.findings.length === 0 ? "done" : "failed");
  await printTests(context, flags, run);
  const failed = failedText(run);
  if (failed !== undefined) {
    const hint = "Run one of them alone: dagger test -t COMPONENT";
    throw new PrintedError([...run.findings, { code: "tests-failed", message: failed, at: [], hint }]);
  }
}

/** What tests say, and where it is to be written; and how the run went. */
async function printTests(context: Context, flags: TestFlags, { report, result, findings }: TestRun): Promise<void> {
  const { io } = context;
  if (flags.junit !== undefined) await writeReport(resolve(io.cwd, flags.junit), report);
  if (flags.output === "json") io.stdout.write(formatJson({ ...report, diagnostics: findings }));
  else io.stdout.write(formatTests(report, createStyle(wantsColour(io.stdout, io.env))));
  summarize(context, flags, result);
}

async function writeReport(path: string, report: TestRun["report"]): Promise<void> {
  const { loadTesting } = await import("../../engine/index.ts");
  const { writeJunit } = await loadTesting();
  try {
    writeFileSync(path, writeJunit(report));
  } catch (error) {
    throw new UsageError({
      code: "bad-flag-value",
      message: `Cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
      at: [],
      hint: "Give --junit a file in a directory that is there",
    });
  }
}

/** What a watch shows of a run of tests. */
export function showTests({ io }: Context, run: TestRun): void {
  io.stdout.write(formatTests(run.report, createStyle(wantsColour(io.stdout, io.env))));
  if (run.findings.length > 0) io.stderr.write(formatFailure({ exit: 1, diagnostics: run.findings }, io));
}

function failedText({ report, findings }: TestRun): string | undefined {
  if (report.failed > 0) {
    const components = [
      ...new Set(report.suites.filter(({ cases }) => cases.some(isFailed)).map(({ component }) => component || "(root)")),
    ];
    return `${report.failed} of ${plural(report.tests, "test")} failed, in ${components.join(", ")}`;
  }
  return findings.length === 0 ? undefined : "All tests passed, and something else failed";
}

function isFailed({ outcome }: { readonly outcome: string }): boolean {
  return outcome === "failed" || outcome === "error";
}
