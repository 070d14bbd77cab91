// The progress printers, fed with the events of a run at a fixed clock; what they print stands in testdata.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Step, UpEvent } from "../../engine/index.ts";
import { golden } from "../../test/support/golden.ts";
import { type MemoryIo, memoryIo, noon } from "../../test/support/memory-io.ts";
import { createProgress } from "./create.ts";
import { JsonProgress } from "./json.ts";
import { keptPerStep, LogStore } from "./log-store.ts";
import { PlainProgress } from "./plain.ts";
import { chooseProgress, type Outcome, type ProgressPrinter } from "./progress.ts";
import { QuietProgress } from "./quiet.ts";
import { createStyle, plainStyle } from "./style.ts";
import { TtyProgress } from "./tty.ts";
import { width } from "./width.ts";

const file = (name: string) => join(import.meta.dirname, "testdata", name);

function step(component: string, name: string, line: number): Step {
  return { digest: `sha256:${component}/${name}`, name, component, at: [{ file: "app.cue", line, column: 3 }] };
}

const base = step("app.base", "fetch-container debian:bookworm", 4);
const source = step("app.source", "local ./src", 7);
const build = step("app.build", "exec go build ./...", 11);
const test1 = step("app.test", "exec make test", 15);
const collect = step("", "collect results", 0);
const all = [base, source, build, test1, collect];

const log = (of: Step, text: string, time: number): UpEvent => ({
  type: "log",
  step: of,
  stream: 1,
  data: Buffer.from(text),
  time: noon + time,
});
const started = (of: Step, time: number): UpEvent => ({ type: "step", step: of, state: "started", started: noon + time });
const ended = (of: Step, state: "done" | "cached" | "canceled", from: number, to: number): UpEvent => ({
  type: "step",
  step: of,
  state,
  started: noon + from,
  completed: noon + to,
});
const failed = (of: Step, from: number, to: number, error: string): UpEvent => ({
  type: "step",
  step: of,
  state: "error",
  started: noon + from,
  completed: noon + to,
  error,
});
const pull = (current: number, completed = false): UpEvent => ({
  type: "status",
  step: base,
  id: "sha256:4f5a",
  name: "sha256:4f5a",
  current,
  total: 30_000_000,
  completed,
});

/** What happens, and at which millisecond of the run. */
type Script = readonly (readonly [number, UpEvent])[];

const run: Script = [
  [0, { type: "phase", phase: "evaluate" }],
  [90, { type: "phase", phase: "connect" }],
  [100, { type: "phase", phase: "compile" }],
  [110, { type: "pass", pass: 1, because: [] }],
  [110, { type: "plan", steps: all }],
  [110, { type: "phase", phase: "solve" }],
  [200, started(base, 200)],
  [300, pull(3_000_000)],
  [350, pull(3_100_000)],
  [400, ended(source, "cached", 390, 390)],
  [900, pull(20_000_000)],
  [1200, pull(30_000_000, true)],
  [1300, ended(base, "done", 200, 1300)],
  [1310, started(build, 1310)],
  [1320, started(test1, 1320)],
  [1500, log(build, "compiling a\ncompil", 1500)],
  [1510, log(test1, "\x1b[32mok\x1b[0m  one\r\n10%\r20%\r", 1510)],
  [1600, log(build, "ing b\n", 1600)],
  [1700, { type: "warning", message: "The field is old", detail: ["use another"], at: [{ file: "app.cue", line: 2, column: 1 }] }],
];

const good: Script = [
  ...run,
  [2500, log(test1, "100%\nlast line without newline", 2500)],
  [2600, ended(test1, "done", 1320, 2600)],
  [3000, ended(build, "done", 1310, 3000)],
  [3010, { type: "pass", pass: 2, because: ["app.version"] }],
  [3020, started(collect, 3020)],
  [3050, ended(collect, "done", 3020, 3050)],
];

const bad: Script = [
  ...run,
  ...Array.from({ length: 14 }, (_, index) => [2000 + index, log(test1, `check ${index + 1}\n`, 2000 + index)] as const),
  [2500, log(test1, "FAIL: boom", 2500)],
  [2600, failed(test1, 1320, 2600, 'process "make test" did not complete successfully: exit code: 7')],
  [2610, ended(build, "canceled", 1310, 2610)],
];

function feed(io: MemoryIo, printer: ProgressPrinter, script: Script, outcome?: Outcome): void {
  for (const [time, event] of script) {
    io.time = noon + time;
    printer.event(event);
  }
  if (outcome !== undefined) printer.finish(outcome);
}

test("plain lines of a good run and of a failed one", () => {
  for (const [name, script, outcome] of [
    ["plain-good.txt", good, "done"],
    ["plain-failed.txt", bad, "failed"],
  ] as const) {
    const io = memoryIo();
    feed(io, new PlainProgress(io.stderr, plainStyle, io.now), script, outcome);
    assert.equal(io.stdout.text, "");
    golden(file(name), io.stderr.text);
  }
});

test("each line of JSON progress is an object, and a character cut in two pieces stays whole", () => {
  const io = memoryIo();
  const printer = new JsonProgress(io.stderr, io.now);
  const euro = Buffer.from("€\n");
  feed(io, printer, run);
  printer.event({ type: "log", step: build, stream: 2, data: euro.subarray(0, 1), time: noon });
  printer.event({ type: "log", step: build, stream: 2, data: euro.subarray(1), time: noon });
  printer.finish("done");
  printer.finish("failed");
  const lines = io.stderr.text.trimEnd().split("\n");
  for (const line of lines) assert.equal(typeof (JSON.parse(line) as { type: unknown }).type, "string");
  assert.match(io.stderr.text, /"text":"€\\n"/);
  assert.match(lines.at(-1) ?? "", /"type":"end".*"outcome":"done"/);
  golden(file("json.txt"), io.stderr.text);
});

test("quiet says nothing but warnings, and the whole log of what failed", () => {
  const io = memoryIo();
  feed(io, new QuietProgress(io.stderr, plainStyle, io.now), good, "done");
  assert.equal(io.stderr.text, "warning: The field is old\n    use another\n    at app.cue:2:1\n");
  const other = memoryIo();
  feed(other, new QuietProgress(other.stderr, plainStyle, other.now), bad, "failed");
  golden(file("quiet-failed.txt"), other.stderr.text);
});

/** A terminal's view of the output: applies cursor moves and erasing, keeps the lines. */
function terminal(text: string): string[] {
  const lines: string[] = [""];
  let row = 0;
  const control = /\x1b\[(\d*)([A-Za-z])|\x1b\[\?25[lh]|[\r\n]|[^\x1b\r\n]+/g;
  for (const [part, count, command] of text.matchAll(control)) {
    if (command === "A") row -= Number(count);
    else if (command === "J") lines.length = row + 1;
    else if (command === "K") lines[row] = lines[row] ?? "";
    else if (part === "\n") lines[++row] ??= "";
    else if (part !== "\r" && !part.startsWith("\x1b")) lines[row] = part;
    if (command === "J") lines[row] = "";
  }
  return lines.slice(0, -1);
}

/** Draws when the test says so. */
function manualTicker(): { ticker: (callback: () => void) => () => void; tick(): void; readonly running: boolean } {
  let callback: (() => void) | undefined;
  return {
    ticker: (given) => {
      callback = given;
      return () => {
        callback = undefined;
      };
    },
    tick: () => callback?.(),
    get running() {
      return callback !== undefined;
    },
  };
}

function frames(script: Script, at: readonly number[], outcome: Outcome, size: { columns: number; rows: number }): string {
  const io = memoryIo({ tty: true, ...size });
  const clock = manualTicker();
  const printer = new TtyProgress(io.stderr, plainStyle, io.now, clock.ticker);
  const shown: string[] = [];
  let last = 0;
  for (const time of at) {
    feed(
      io,
      printer,
      script.filter(([when]) => when >= last && when < time),
    );
    last = time;
    io.time = noon + time;
    clock.tick();
    shown.push(`== ${time} ms`, ...terminal(io.stderr.text));
  }
  feed(
    io,
    printer,
    script.filter(([when]) => when >= last),
    outcome,
  );
  shown.push("== end", ...terminal(io.stderr.text));
  for (const line of shown) if (/^(\[\+\]| =>)/.test(line)) assert.ok(width(line) <= size.columns, line);
  assert.ok(io.stderr.text.endsWith("------\n") || io.stderr.text.endsWith("\x1b[?25h"), "the cursor is given back");
  return `${shown.join("\n")}\n`;
}

test("the picture in a terminal: running, finished, failed", () => {
  golden(file("tty-good.txt"), frames(good, [50, 350, 1250, 1800, 2700], "done", { columns: 80, rows: 24 }));
  golden(file("tty-failed.txt"), frames(bad, [1800, 2550], "failed", { columns: 80, rows: 24 }));
  golden(
    file("tty-canceled.txt"),
    frames([...run, [1800, ended(build, "canceled", 1310, 1800)], [1800, ended(test1, "canceled", 1320, 1800)]], [], "canceled", {
      columns: 80,
      rows: 24,
    }),
  );
});

test("the picture fits a narrow and low terminal", () => {
  golden(file("tty-small.txt"), frames(bad, [350, 1800, 2550], "failed", { columns: 32, rows: 7 }));
});

/** Thirty components that write logs, two layers that come, one command that fails. */
function crowd(): Script {
  const many = Array.from({ length: 30 }, (_, index) => step(`app.service${index}`, `exec go test -run Service${index} ./...`, index));
  const [first] = many as [Step];
  return [
    [0, { type: "plan", steps: [base, ...many] }],
    [0, { type: "phase", phase: "solve" }],
    [100, started(base, 100)],
    [200, pull(12_300_000)],
    [200, { ...(pull(30_000_000, true) as Extract<UpEvent, { type: "status" }>), id: "sha256:77aa", name: "sha256:77aa" }],
    ...many.flatMap((one, index): [number, UpEvent][] => [
      [300 + index, started(one, 300 + index)],
      [400 + index, log(one, `=== RUN   Service${index} with a name that is wider than narrow terminals are\n`, 400 + index)],
    ]),
    ...many.slice(20).map((one, index): [number, UpEvent] => [1000 + index, ended(one, "done", 320 + index, 1000 + index)]),
    [1500, failed(first, 300, 1500, "exit code: 1")],
    ...many.slice(1, 20).map((one): [number, UpEvent] => [1600, ended(one, "canceled", 300, 1600)]),
    [1600, ended(base, "canceled", 100, 1600)],
  ];
}

test("thirty components share the terminal: what runs is shown, what has no room is counted", () => {
  for (const [name, size] of [
    ["tty-crowd.txt", { columns: 100, rows: 30 }],
    ["tty-crowd-narrow.txt", { columns: 40, rows: 20 }],
    ["tty-crowd-high.txt", { columns: 80, rows: 60 }],
  ] as const) {
    golden(file(name), frames(crowd(), [250, 900, 1200], "failed", size));
  }
});

test("with NO_COLOR, thirty components in 40 columns are told without any colour, the failure at the end", () => {
  for (const mode of ["tty", "plain", "quiet"] as const) {
    const io = memoryIo({ tty: true, columns: 40, rows: 20, env: { NO_COLOR: "1" } });
    feed(io, createProgress(mode, io), crowd(), "failed");
    assert.doesNotMatch(io.stderr.text, /\x1b\[[\d;]*m/);
    golden(file(`${mode}-crowd-no-color.txt`), mode === "tty" ? `${terminal(io.stderr.text).join("\n")}\n` : io.stderr.text);
  }
});

test("many components at once never make the picture higher than the terminal", () => {
  const io = memoryIo({ tty: true, columns: 60, rows: 12 });
  const clock = manualTicker();
  const printer = new TtyProgress(io.stderr, plainStyle, io.now, clock.ticker);
  const many = Array.from({ length: 40 }, (_, index) => step(`c${index}`, "exec sleep 1", index));
  printer.event({ type: "plan", steps: many });
  many.forEach((one, index) => {
    printer.event(started(one, index));
    for (let line = 0; line < 10; line++) printer.event(log(one, `line ${line}\n`, index));
    if (index % 2 === 0) printer.event(ended(one, "done", index, 1000 + index));
    io.time = noon + 100 * index;
    clock.tick();
    const picture = terminal(io.stderr.text);
    assert.ok(picture.length < 12, `${picture.length} lines`);
    assert.match(picture[0] ?? "", /^\[\+\]/);
  });
  printer.finish("canceled");
  assert.equal(terminal(io.stderr.text).length > 40, true, "the last picture shows every component");
});

test("a terminal that becomes narrower does not leave torn lines behind", () => {
  const io = memoryIo({ tty: true, columns: 80, rows: 24 });
  const printer = new TtyProgress(io.stderr, plainStyle, io.now, manualTicker().ticker);
  feed(io, printer, run.slice(0, 8));
  io.stderr.resize(80, 24);
  const drawn = terminal(io.stderr.text).length;
  io.stderr.text = "";
  io.stderr.resize(40, 24);
  const up = Number(/\x1b\[(\d+)A/.exec(io.stderr.text)?.[1]);
  assert.ok(up > drawn, `moves up ${up} rows where ${drawn} lines were wrapped`);
  printer.finish("done");
});

test("finish ends the drawing, once", () => {
  const io = memoryIo({ tty: true });
  const clock = manualTicker();
  const printer = new TtyProgress(io.stderr, createStyle(true), io.now, clock.ticker);
  feed(io, printer, run);
  clock.tick();
  printer.finish("done");
  assert.equal(clock.running, false);
  const text = io.stderr.text;
  printer.finish("failed");
  io.stderr.resize(10, 10);
  assert.equal(io.stderr.text, text);
  assert.equal(text.split("\x1b[?25l").length, text.split("\x1b[?25h").length);
});

test("a step that is taken up again counts all of its time", () => {
  const io = memoryIo();
  const printer = new PlainProgress(io.stderr, plainStyle, io.now);
  feed(io, printer, [
    [0, started(base, 0)],
    [1000, ended(base, "done", 0, 1000)],
    [5000, started(base, 5000)],
    [6500, ended(base, "done", 5000, 6500)],
  ]);
  assert.match(io.stderr.text, /#1 DONE 1\.0s[\s\S]*#1 DONE 2\.5s/);
});

test("the log that is kept is bounded, and says what is not there", () => {
  const store = new LogStore();
  for (let index = 0; index < 200_000; index++) store.add(`line ${index} ${"x".repeat(20)}`);
  const lines = store.all();
  assert.ok(lines.join("\n").length < keptPerStep + 100);
  assert.match(lines[0] ?? "", /^\[[0-9.]+MB of earlier output not kept\]$/);
  assert.equal(lines.at(-1), `line 199999 ${"x".repeat(20)}`);
  assert.deepEqual(store.last(2).length, 2);
  const one = new LogStore(10);
  one.add("x".repeat(100));
  assert.equal(one.all().length, 1);
});

test("the mode follows flag, environment and terminal", () => {
  assert.equal(chooseProgress(undefined, {}, true), "tty");
  assert.equal(chooseProgress(undefined, {}, false), "plain");
  assert.equal(chooseProgress(undefined, { CI: "true" }, true), "plain");
  assert.equal(chooseProgress(undefined, { TERM: "dumb" }, true), "plain");
  assert.equal(chooseProgress("auto", { DAGGER_PROGRESS: "json" }, true), "tty");
  assert.equal(chooseProgress(undefined, { DAGGER_PROGRESS: "quiet", BUILDKIT_PROGRESS: "tty" }, true), "quiet");
  assert.equal(chooseProgress(undefined, { BUILDKIT_PROGRESS: "rawjson" }, true), "rawjson");
  assert.equal(chooseProgress("tty", {}, false), "tty");
  assert.equal(chooseProgress(undefined, { DAGGER_PROGRESS: "loud" }, true), undefined);
});
