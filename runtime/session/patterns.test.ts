// Patterns against what moby/patternmatcher answers (its own test table covers the same ground).
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanPath, Matcher, PatternError } from "./patterns.ts";

const table: readonly (readonly [pattern: string, path: string, matches: boolean])[] = [
  ["**", "file", true],
  ["**", "file/", true],
  ["**/", "file", true],
  ["**", "dir/file", true],
  ["**/", "dir/file", true],
  ["**/**", "dir/file", true],
  ["dir/**", "dir/file", true],
  ["dir/**", "dir/dir2/file", true],
  ["**/dir", "dir", true],
  ["**/dir", "dir/file", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/*", "dir/dir2/dir2/file", true],
  ["**/dir2/**", "dir/dir2/dir2/file", true],
  ["**file", "file", true],
  ["**file", "dir/file", true],
  ["**/file", "dir/file", true],
  ["**/file", "dir/dir/file", true],
  ["**/file*", "dir/dir/file.txt", true],
  ["**/file*txt", "dir/dir/file.txt", true],
  ["**/file*.txt*", "dir/dir/file.txt", true],
  ["**/**/*.txt", "dir/dir/file.txt", true],
  ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["**/*.txt", "file.txt", true],
  ["**/**/*.txt", "file.txt", true],
  ["a**/*.txt", "a/file.txt", true],
  ["a**/*.txt", "a/dir/file.txt", true],
  ["a/*.txt", "a/dir/file.txt", false],
  ["a/*.txt**", "a/file.txt", true],
  ["a[b-d]e", "ae", false],
  ["a[b-d]e", "ace", true],
  ["a[b-d]e", "aae", false],
  ["a[^b-d]e", "aze", true],
  [".*", ".foo", true],
  [".*", "foo", false],
  ["abc.def", "abcdef", false],
  ["abc.def", "abc.def", true],
  ["abc.def", "abcZdef", false],
  ["abc?def", "abcZdef", true],
  ["abc?def", "abcdef", false],
  ["abc?def", "abc/def", false],
  ["a\\\\", "a\\", true],
  ["**/foo/bar", "foo/bar", true],
  ["**/foo/bar", "dir/foo/bar", true],
  ["abc/**", "abc", false],
  ["abc/**", "abc/def", true],
  ["**/.foo", ".foo", true],
  ["**/.foo", "bar.foo", false],
  ["./bar", "bar", true],
  ["  bar ", "bar", true],
  ["a(b)c/def", "a(b)c/def", true],
  ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  ["dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true],
  ["日?語", "日本語", true],
  ["?.txt", "🎉.txt", true],
  ["[\\-a]x", "-x", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["x/../y", "y", true],
  ["dir", "dir/below/this", true],
  ["/dir", "dir", false],
];

test("a pattern matches a path, or a directory above it, as the Go library says", () => {
  for (const [pattern, path, matches] of table) {
    assert.equal(new Matcher([pattern]).matchWithParents(path), matches, `${pattern} against ${path}`);
  }
});

test("later patterns win, and exceptions bring files back", () => {
  const cases: readonly (readonly [readonly string[], string, boolean])[] = [
    [["*", "!a"], "a", false],
    [["*", "!a"], "b", true],
    [["!a", "a"], "a", true],
    [["docs", "!docs/README.md"], "docs/README.md", false],
    [["docs", "!docs/README.md"], "docs/x", true],
    [["docs", "!docs/README.md", "docs/README.md"], "docs/README.md", true],
    [["**", "!src/**/*.ts"], "src/a/b.ts", false],
    [["**", "!util/docker/web"], "util/docker/web/foo", false],
  ];
  for (const [patterns, path, matches] of cases)
    assert.equal(new Matcher(patterns).matchWithParents(path), matches, `${patterns.join(" ")} / ${path}`);
});

test("a pattern that cannot be read is an error that names it", () => {
  for (const pattern of ["!", "[", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a\\", "[^", "[^bc", "[]"]) {
    assert.throws(
      () => new Matcher([pattern]),
      (error) => error instanceof PatternError && error.pattern === pattern,
      pattern,
    );
  }
  assert.doesNotThrow(() => new Matcher(["", "  ", "[x\\-]", "[a-z0-9]", "[^a]"]));
});

test("directories are only skipped when nothing below them can matter", () => {
  assert.equal(new Matcher(["src/lib/*"]).mayMatchBelow("src"), true);
  assert.equal(new Matcher(["src/lib/*"]).mayMatchBelow("doc"), false);
  assert.equal(new Matcher(["**/x"]).mayMatchBelow("doc"), true);
  assert.equal(new Matcher(["node_modules"]).mayExceptBelow("node_modules"), false);
  assert.equal(new Matcher(["docs", "!docs/keep"]).mayExceptBelow("docs"), true);
  assert.equal(new Matcher(["docs", "x", "!docs/keep"]).mayExceptBelow("x"), false);
  assert.equal(new Matcher(["docs", "!**/keep"]).mayExceptBelow("docs"), true);
});

test("paths are cleaned as Go cleans them", () => {
  for (const [path, clean] of [
    ["", "."],
    ["a//b/", "a/b"],
    ["./a/./b", "a/b"],
    ["a/../..", ".."],
    ["/../a", "/a"],
    ["/", "/"],
    ["!a/", "!a"],
  ] as const) {
    assert.equal(cleanPath(path), clean, path);
  }
});
