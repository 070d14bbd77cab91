// What tests say: suites with their cases, as reports of many kinds of tests have them in JUnit's XML.

/** Seconds are 0 where nobody took the time. */
export interface TestCase {
  readonly name: string;
  /** The class or module that it belongs to; may be empty. */
  readonly group: string;
  readonly seconds: number;
  /** `error`: it could not be run as a test. */
  readonly outcome: "passed" | "failed" | "error" | "skipped";
  /** What is wrong, in one line; why it was skipped. */
  readonly message?: string;
  /** All that is told of what is wrong. */
  readonly text?: string;
  /** Where it is, or where it failed, as the report has it. */
  readonly file?: string;
  readonly line?: number;
}

export interface TestSuite {
  /** CUE path of the component whose tests they are; "" for a config that is one component. */
  readonly component: string;
  /** As the report calls it; the component where it has no name. */
  readonly name: string;
  readonly seconds: number;
  /** It has nothing but the outcome of its component, which told of no tests. */
  readonly whole?: true;
  readonly cases: readonly TestCase[];
}

/** What the tests of a run gave: suites in the order of the config. */
export interface TestReport {
  readonly tests: number;
  /** Those that failed, or could not be run. */
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly suites: readonly TestSuite[];
}

export function reportOf(suites: readonly TestSuite[]): TestReport {
  const cases = suites.flatMap((suite) => suite.cases);
  return {
    tests: cases.length,
    failed: cases.filter(isFailure).length,
    skipped: cases.filter(({ outcome }) => outcome === "skipped").length,
    seconds: suites.reduce((sum, { seconds }) => sum + seconds, 0),
    suites,
  };
}

export function isFailure({ outcome }: Pick<TestCase, "outcome">): boolean {
  return outcome === "failed" || outcome === "error";
}
