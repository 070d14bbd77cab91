// JUnit's XML, which has no standard: reads what test runners write, and writes what servers of CI read.
import { DOMImplementation, DOMParser, type Document, type Element, XMLSerializer } from "@xmldom/xmldom";
import type { TestCase, TestReport, TestSuite } from "./report.ts";

/** Suites of a report, those in suites too. Throws Error with the place of what is no XML, or no report. */
export function readJunit(text: string, component: string): readonly TestSuite[] {
  const fail = (level: string, message: string): void => {
    if (level !== "warning") throw new Error(message.split("\n", 1)[0]?.trim());
  };
  const root = new DOMParser({ onError: fail }).parseFromString(text, "text/xml").documentElement;
  if (root === null || (root.tagName !== "testsuites" && root.tagName !== "testsuite")) {
    throw new Error(`its root is <${root?.tagName ?? ""}>, and that of a JUnit report is <testsuites> or <testsuite>`);
  }
  const suites: TestSuite[] = [];
  const open = [root];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    open.push(...children(element, "testsuite").reverse());
    const cases = children(element, "testcase").map(readCase);
    if (element.tagName === "testsuite" && (cases.length > 0 || children(element, "testsuite").length === 0)) {
      suites.push(readSuite(element, cases, component));
    }
  }
  return suites;
}

function readSuite(element: Element, cases: readonly TestCase[], component: string): TestSuite {
  const sum = cases.reduce((before, { seconds }) => before + seconds, 0);
  return { component, name: element.getAttribute("name") || component, seconds: secondsOf(element) || sum, cases };
}

function readCase(element: Element): TestCase {
  const outcomes = { failure: "failed", error: "error", skipped: "skipped" } as const;
  const [found] = (["failure", "error", "skipped"] as const).flatMap((name) =>
    children(element, name).map((child) => ({ child, outcome: outcomes[name] })),
  );
  const base = { name: element.getAttribute("name") ?? "", group: element.getAttribute("classname") ?? "", seconds: secondsOf(element) };
  if (found === undefined) return { ...base, outcome: "passed", ...placeOf(element, "") };
  const text = (found.child.textContent ?? "").trim();
  const message = (found.child.getAttribute("message") || text.split("\n", 1)[0] || found.child.getAttribute("type")) ?? "";
  return {
    ...base,
    outcome: found.outcome,
    ...(message === "" ? {} : { message }),
    ...(text === "" ? {} : { text }),
    ...placeOf(element, `${message}\n${text}`),
  };
}

/** As the report says, or else the first place that its text names. */
function placeOf(element: Element, text: string): Pick<TestCase, "file" | "line"> {
  const file = element.getAttribute("file");
  const line = Number(element.getAttribute("line"));
  if (file) return { file, ...(line > 0 ? { line } : {}) };
  const [, named, at] = /(?:^|[\s("'])((?:[\w@.-]*\/)*[\w@-][\w@.-]*\.[A-Za-z]\w*):(\d+)/.exec(text) ?? [];
  return named === undefined ? {} : { file: named, line: Number(at) };
}

function secondsOf(element: Element): number {
  // Some runners write 1,234.5.
  const seconds = Number((element.getAttribute("time") ?? "").replaceAll(",", ""));
  return Number.isFinite(seconds) ? seconds : 0;
}

function children(element: Element, name: string): Element[] {
  return [...element.childNodes].filter((node): node is Element => node.nodeType === 1 && node.nodeName === name);
}

/** One document of all suites; the name of each has its component in front. */
export function writeJunit(report: TestReport): string {
  const document = new DOMImplementation().createDocument(null, "testsuites");
  const root = document.documentElement as Element;
  set(root, { name: "dagger", ...countsOf(report.suites.flatMap(({ cases }) => cases)), time: report.seconds });
  for (const suite of report.suites) root.appendChild(suiteElement(document, suite));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(document)}\n`;
}

function suiteElement(document: Document, { component, name, seconds, cases }: TestSuite): Element {
  const element = document.createElement("testsuite");
  set(element, { name: component === "" || component === name ? name : `${component}: ${name}`, ...countsOf(cases), time: seconds });
  for (const one of cases) element.appendChild(caseElement(document, one, component));
  return element;
}

function caseElement(
  document: Document,
  { name, group, seconds, outcome, message, text, file, line }: TestCase,
  component: string,
): Element {
  const element = document.createElement("testcase");
  set(element, { name, classname: group || component, time: seconds, file, line });
  if (outcome === "passed") return element;
  const child = document.createElement(outcome === "failed" ? "failure" : outcome);
  set(child, { message });
  if (text !== undefined) child.appendChild(document.createTextNode(printable(text)));
  element.appendChild(child);
  return element;
}

function countsOf(cases: readonly TestCase[]): Readonly<Record<string, number>> {
  const count = (outcome: TestCase["outcome"]): number => cases.filter((one) => one.outcome === outcome).length;
  return { tests: cases.length, failures: count("failed"), errors: count("error"), skipped: count("skipped") };
}

function set(element: Element, attributes: Readonly<Record<string, string | number | undefined>>): void {
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, printable(String(value)));
}

/** XML has no way to write most control characters, such as those of colours. */
function printable(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, "").replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
}
