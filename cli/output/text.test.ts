// Widths, units, tables and values as they are printed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createStyle, plainStyle } from "./style.ts";
import { formatSummary } from "./summary.ts";
import { formatTable } from "./table.ts";
import { bytes, duration, plural, seconds } from "./units.ts";
import { formatValues } from "./values.ts";
import { expandTabs, truncate, width } from "./width.ts";

test("wide, combining and invisible characters are counted as terminals show them", () => {
  assert.deepEqual(["abc", "grün", "日本", "e\u0301", "👍", "a\u200bb", ""].map(width), [3, 4, 4, 1, 2, 2, 0]);
});

test("a text is cut to the columns there are, never inside a wide character", () => {
  assert.equal(truncate("hello", 5), "hello");
  assert.equal(truncate("hello", 4), "hel…");
  assert.equal(truncate("日本語", 4), "日…");
  assert.equal(truncate("日本語", 5), "日本…");
  assert.equal(truncate("hello", 1), "…");
  assert.equal(truncate("hello", 0), "");
});

test("tabs become the spaces a terminal would show", () => {
  assert.equal(expandTabs("a\tb\tc"), "a       b       c");
});

test("times are short and grow with their unit", () => {
  assert.deepEqual([0, 49, 50, 1234, 59_949, 59_950, 125_000, 3_725_000, -5].map(duration), [
    "0.0s",
    "0.0s",
    "0.1s",
    "1.2s",
    "59.9s",
    "1m00s",
    "2m05s",
    "1h02m",
    "0.0s",
  ]);
  assert.deepEqual([312, 12_345, 123_456].map(seconds), ["0.312", "12.35", "123.5"]);
});

test("sizes are decimal with at most one digit after the point", () => {
  assert.deepEqual([0, 999, 1000, 3_240_000, 999_960, 10_000_000, 2.5e12].map(bytes), [
    "0B",
    "999B",
    "1kB",
    "3.2MB",
    "1MB",
    "10MB",
    "2.5TB",
  ]);
  assert.deepEqual([plural(1, "file"), plural(2, "file"), plural(2, "pass", "passes")], ["1 file", "2 files", "2 passes"]);
});

test("columns of a table line up, also behind wide characters", () => {
  assert.equal(
    formatTable([
      ["a", "b"],
      ["日本", "c"],
    ]),
    "a     b\n日本  c\n",
  );
});

test("values are a tree; components without a value are left out", () => {
  const values = {
    app: { build: {}, version: "1.2.3", size: 42, ok: true, none: null, list: ["a", { b: 1 }], empty: [] },
    "my-key": "x",
    onlyFiles: { a: {} },
  };
  assert.equal(
    formatValues(values, plainStyle),
    [
      "app:",
      '  version: "1.2.3"',
      "  size: 42",
      "  ok: true",
      "  none: null",
      "  list:",
      "    - a",
      "    -",
      "      b: 1",
      "  empty: []",
      '"my-key": x',
      "",
    ].join("\n"),
  );
});

test("text of many lines is a block, and one line's newline is no second line", () => {
  assert.equal(
    formatValues({ notes: "one\n\ttwo\n\nfour\n", host: "box\n" }, plainStyle),
    "notes: |\n  one\n  \ttwo\n\n  four\nhost: box\n",
  );
});

test("a string that looks like another value is quoted, and controls are not sent to the terminal", () => {
  const shown = (value: string) => formatValues({ v: value }, plainStyle).slice(3, -1);
  assert.deepEqual(["true", "12", "", " x", "null", "# c", "plain text", "a: b"].map(shown), [
    '"true"',
    '"12"',
    '""',
    '" x"',
    '"null"',
    '"# c"',
    "plain text",
    "a: b",
  ]);
  assert.equal(shown("\x1b[2Jx"), '"\\u001b[2Jx"');
  assert.equal(formatValues({ v: "a\n\x1b[2Jb" }, plainStyle), "v: |\n  a\n  b\n");
});

test("a config that is one scalar or list is shown too, and nothing is shown of nothing", () => {
  assert.equal(formatValues("x", plainStyle), "x\n");
  assert.equal(formatValues([1, "b"], plainStyle), "- 1\n- b\n");
  assert.equal(formatValues({ a: {} }, plainStyle), "");
});

test("labels are coloured only where colours are wanted", () => {
  assert.equal(formatValues({ a: 1 }, createStyle(true)), "\x1b[34ma\x1b[39m: 1\n");
});

test("the summary says what was saved, why there was another pass, and what ran", () => {
  const result = {
    values: {},
    computed: {},
    saved: [{ path: "app.dist", dest: "out", files: 1, bytes: 2048 }],
    images: [
      { path: "app.push", ref: "ghcr.io/me/app:1", digest: "sha256:0123", platforms: ["linux/amd64", "linux/arm64"] },
      { path: "app.save", ref: "docker.io/library/app:1", digest: "sha256:4567", platforms: ["linux/amd64"], dest: "app.tar" },
    ],
    passes: [{ because: [] }, { because: ["app.version"] }],
    steps: { total: 12, cached: 9, run: 3 },
    ms: 4100,
  };
  assert.equal(
    formatSummary(result, plainStyle),
    "saved out (1 file, 2kB, from app.dist)\npushed ghcr.io/me/app:1 (sha256:0123, linux/amd64, linux/arm64, from app.push)\nsaved app.tar (docker.io/library/app:1, from app.save)\npass 2 was needed because CUE uses app.version\n2 passes, 12 steps: 9 cached, 3 run, 4.1s\n",
  );
});
