// A run of tests: takes their time while it goes on, and reads their reports at the end.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Diagnostic, Job } from "../../compiler/index.ts";
import type { UpEvent } from "../events.ts";
import type { Done } from "../passes/parts.ts";
import type { UpRequest } from "../request.ts";
import { readJunit } from "./junit.ts";
import { isFailure, reportOf, type TestCase, type TestReport, type TestSuite } from "./report.ts";

export class Testing {
  /** As it was asked for; tests do not stop each other. */
  readonly request: UpRequest;
  /** Milliseconds that steps took, by their component. */
  readonly #times = new Map<string, number>();

  constructor(request: UpRequest) {
    this.request = {
      ...request,
      keepGoing: true,
      onEvent: (event) => {
        this.#note(event);
        request.onEvent(event);
      },
    };
  }

  /** What the tests of a run gave whose reports are in place. */
  report(job: Job, failed: Done["failed"], findings: readonly Diagnostic[]): TestReport {
    const waiting = new Set(job.deferred.map(({ path }) => path));
    const suites = job.tests.flatMap((one) => {
      const said = one.reports.flatMap(({ dest }) => readReport(dest, one.path));
      const own = findings.some(({ path }) => path !== undefined && isWithin(path, one.path));
      const isFailed = own || failed.has(one.path) || waiting.has(one.path);
      if (said.length > 0 && (!isFailed || said.some(({ cases }) => cases.some(isFailure)))) return said;
      return [...said, this.#whole(one.path, isFailed ? whyFailed(one.path, findings, said.length > 0) : undefined)];
    });
    return reportOf(suites);
  }

  /** Tests that say nothing of themselves, or not that they failed, are one. */
  #whole(path: string, why: Pick<TestCase, "message" | "text"> | undefined): TestSuite {
    const seconds = [...this.#times].reduce((sum, [component, ms]) => sum + (isWithin(component, path) ? ms : 0), 0) / 1000;
    const name = path || "(root)";
    const base = { name, group: "", seconds };
    return {
      component: path,
      name,
      seconds,
      whole: true,
      cases: [why === undefined ? { ...base, outcome: "passed" } : { ...base, outcome: "error", ...why }],
    };
  }

  #note(event: UpEvent): void {
    if (event.type !== "step" || event.started === undefined || event.completed === undefined) return;
    const { component } = event.step;
    this.#times.set(component, (this.#times.get(component) ?? 0) + event.completed - event.started);
  }
}

/** The XML files of a report. A file of its own may have any name. */
function readReport(dir: string, component: string): readonly TestSuite[] {
  const files = listFiles(dir);
  const reports = files.length === 1 ? files : files.filter((file) => file.endsWith(".xml"));
  return reports.flatMap((file): readonly TestSuite[] => {
    const text = readFileSync(file, "utf8");
    // Tests that wrote no report leave an empty one, and reports may be of another kind.
    if (
      !text
        .trimStart()
        .replace(/^\ufeff/, "")
        .startsWith("<")
    )
      return [];
    try {
      return readJunit(text, component);
    } catch (error) {
      const name = relative(dir, file);
      const message = `Cannot read the report ${name}: ${error instanceof Error ? error.message : String(error)}`;
      return [{ component, name, seconds: 0, cases: [{ name, group: "", seconds: 0, outcome: "error", message }] }];
    }
  });
}

function listFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const paths = readdirSync(dir, { recursive: true, encoding: "utf8" }).map((path) => join(dir, path));
  return paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true).sort();
}

function whyFailed(path: string, findings: readonly Diagnostic[], hasReport: boolean): Pick<TestCase, "message" | "text"> {
  const own = findings.filter((one) => one.path !== undefined && isWithin(one.path, path));
  const [first] = own;
  if (first === undefined) return { message: "Something that it needs failed" };
  if (hasReport) return { message: `The tests ended with a failure, and their report tells of none: ${first.message}` };
  return { message: first.message, ...(own.length === 1 ? {} : { text: own.map(({ message }) => message).join("\n") }) };
}

export function isWithin(path: string, component: string): boolean {
  return component === "" || path === component || path.startsWith(`${component}.`);
}
