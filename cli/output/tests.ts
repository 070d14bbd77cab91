// What tests say, as people read it: a line for each suite, and every test that failed.
import type { TestCase, TestReport, TestSuite } from "../../engine/index.ts";
import { clean } from "./lines.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./table.ts";
import { duration, plural } from "./units.ts";

/** So much of what a failed test tells is shown; a report has all of it. */
const shownLines = 12;

export function formatTests(report: TestReport, style: Style): string {
  const rows = report.suites.map((suite) => rowOf(suite, style));
  const head = ["suite", "tests", "failed", "skipped", "time"].map(style.dim);
  const failed = report.suites.flatMap((suite) => suite.cases.filter(isFailed).map((one) => failure(suite, one, style)));
  const passed = report.tests - report.failed - report.skipped;
  const counts = [`${passed} passed`, `${report.failed} failed`, ...(report.skipped > 0 ? [`${report.skipped} skipped`] : [])];
  const total = `${plural(report.tests, "test")} in ${plural(report.suites.length, "suite")}: ${counts.join(", ")}`;
  return `${formatTable([head, ...rows])}\n${failed.join("")}${style.bold(report.failed > 0 ? style.red(total) : style.green(total))}\n`;
}

function rowOf(suite: TestSuite, style: Style): string[] {
  const { component, name, cases, seconds } = suite;
  const failed = cases.filter(isFailed).length;
  const skipped = cases.filter(({ outcome }) => outcome === "skipped").length;
  const numbers = [String(cases.length), failed > 0 ? style.red(String(failed)) : "0", String(skipped), duration(seconds * 1000)];
  return [clean(nameOf(component, name)), ...numbers];
}

function failure({ component, name }: TestSuite, one: TestCase, style: Style): string {
  const title = [nameOf(component, name), one.group === name ? "" : one.group, one.name === component ? "" : one.name];
  const place = one.file === undefined ? "" : `\n  at ${clean(one.file)}${one.line === undefined ? "" : `:${one.line}`}`;
  const text = (one.text ?? "").startsWith(one.message ?? "") ? one.text : `${one.message ?? ""}\n${one.text ?? ""}`;
  const lines = (text || one.message || "").trim().split("\n");
  const more = lines.length > shownLines ? [`… ${lines.length - shownLines} more lines`] : [];
  const told = [...lines.slice(0, shownLines), ...more].map((line) => `  ${clean(line)}\n`).join("");
  return `${style.red(one.outcome === "error" ? "ERROR" : "FAILED")} ${clean(title.filter((part) => part !== "").join(" › "))}${place}\n${told}\n`;
}

function nameOf(component: string, name: string): string {
  return component === "" || component === name ? name : `${component}: ${name}`;
}

function isFailed({ outcome }: TestCase): boolean {
  return outcome === "failed" || outcome === "error";
}
