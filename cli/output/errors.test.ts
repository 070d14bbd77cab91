// What a person sees of an error, against real files on disk.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Diagnostic } from "../../engine/index.ts";
import { golden } from "../../test/support/golden.ts";
import { formatDiagnostics, formatWarning } from "./errors.ts";
import { createLineReader } from "./excerpt.ts";
import { createStyle, plainStyle } from "./style.ts";

const dir = mkdtempSync(join(tmpdir(), "dagger-errors-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const config = [
  "package ci",
  "",
  "app: #up: [",
  '\t{do: "fetch-container", ref: "debian"},',
  '\t{do: "exce", args: ["make"]},',
  `\t{do: "exec", env: {GREETING: "${"long ".repeat(40)}"}, argz: ["make"]},`,
  '\t{do: "write-file", dest: "/größe 日本", contnet: "x"},',
  "]\r",
  "\x1b[2Jevil: x",
];
const file = join(dir, "app.cue");
writeFileSync(file, config.join("\n"));

function format(diagnostics: readonly Diagnostic[], options: { colour?: boolean; columns?: number } = {}): string {
  const style = options.colour === true ? createStyle(true) : plainStyle;
  const text = formatDiagnostics(diagnostics, { style, columns: options.columns ?? 80, readLine: createLineReader(process.cwd()) });
  return text.replaceAll(dir, "DIR");
}

const at = (line: number, column: number) => ({ file, line, column });

const typo: Diagnostic = {
  code: "unknown-op",
  message: 'Unknown op "exce"',
  path: "app.#up[1]",
  at: [at(5, 7)],
  hint: 'Did you mean "exec"?',
};

test("an error shows message, place, source line with a marker, path and hint", () => {
  golden(join(import.meta.dirname, "testdata/errors-one.txt"), format([typo]));
});

test("several errors are counted; long lines, wide characters and many places stay readable", () => {
  const text = format([
    typo,
    {
      code: "unknown-field",
      message: 'Unknown field "argz"\nof op exec',
      path: "app.#up[2].argz",
      at: [at(6, (config[5] ?? "").indexOf("argz") + 1)],
      hint: "Did you mean args?\nOr env?",
    },
    { code: "unknown-field", message: 'Unknown field "contnet"', at: [at(7, Buffer.from(config[6] ?? "").indexOf("contnet") + 1)] },
    {
      code: "cue-conflict",
      message: "Conflicting values",
      at: [at(3, 6), at(3, 6), at(4, 7), at(5, 7), at(7, 7), at(8, 1), { file: "-i name", line: 0, column: 0 }],
    },
  ]);
  golden(join(import.meta.dirname, "testdata/errors-many.txt"), text);
});

test("a place that is not there leaves the message whole", () => {
  for (const place of [
    at(99, 1),
    at(5, 999),
    at(2, 1),
    { file: join(dir, "gone.cue"), line: 1, column: 1 },
    { file: dir, line: 1, column: 1 },
  ]) {
    const text = format([{ code: "x", message: "Wrong", at: [place] }]);
    assert.match(text, /^error\[x\]: Wrong\n +-->/);
  }
  assert.equal(format([{ code: "x", message: "Wrong", at: [] }]), "error[x]: Wrong\n");
});

test("a line with CR, or with control characters, is shown without them", () => {
  assert.match(format([{ code: "x", message: "m", at: [at(8, 1)] }]), /8 \| \]\n {3}\| \^\n$/);
  const text = format([{ code: "x", message: "evil \x1b[2J message", at: [at(9, 1)], hint: "\x1b]0;t\x07do" }]);
  assert.ok(!text.includes("\x1b"));
  assert.match(text, /9 \| evil: x/);
});

test("more errors than a person reads are cut, with their number", () => {
  const text = format(Array.from({ length: 60 }, (_, index) => ({ code: "x", message: `m${index}`, at: [] })));
  assert.match(text, /m49/);
  assert.doesNotMatch(text, /m50/);
  assert.match(text, /60 errors, 10 not shown \(--output json lists all\)\n$/);
});

test("more places than tell something are counted", () => {
  const text = format([{ code: "x", message: "m", at: Array.from({ length: 20 }, (_, index) => at(index + 1, 1)) }]);
  assert.match(text, /= and at 8 more places/);
});

test("colours mark the message and the place, and change nothing else", () => {
  const text = format([typo], { colour: true });
  assert.match(text, /\x1b\[31m/);
  assert.equal(text.replaceAll(/\x1b\[\d+m/g, ""), format([typo]));
});

test("the marker stays inside a narrow terminal", () => {
  const text = format([{ code: "x", message: "m", at: [at(6, (config[5]?.indexOf("argz") ?? 0) + 1)] }], { columns: 40 });
  const [source = "", marker = ""] = text.split("\n").slice(3);
  assert.ok(source.length <= 40);
  assert.equal(source.slice(marker.indexOf("^"), marker.indexOf("^") + 4), "argz");
});

test("a warning names its place", () => {
  assert.equal(
    formatWarning({ message: "Old", detail: ["use new"], at: [{ file: "a.cue", line: 1, column: 2 }] }, plainStyle),
    "warning: Old\n    use new\n    at a.cue:1:2\n",
  );
  assert.equal(formatWarning({ code: "old", message: "Old", detail: [], at: [] }, plainStyle), "warning[old]: Old\n");
});
