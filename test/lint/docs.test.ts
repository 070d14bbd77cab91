// Keeps the pages honest: their links lead somewhere, requirements name files that exist, every decision and every page is in an index.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(repository, path), "utf8");
const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: repository, encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(repository, path)));

test("every relative link of every page leads to a file", () => {
  const broken = pages.flatMap((page) =>
    // Code in a line is no link, whatever it looks like.
    [
      ...read(page)
        .replaceAll(/`[^`\n]*`/g, "``")
        .matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g),
    ]
      .map((match) => match[1] ?? "")
      .filter((link) => !existsSync(join(repository, dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test("every requirement names code and tests that exist", () => {
  const rows = read("docs/requirements.md")
    .split("\n")
    .filter((line) => /^\| [A-Z]/.test(line) && !line.startsWith("| ID"));
  assert.notEqual(rows.length, 0);
  const gone = rows.flatMap((row) => {
    const [, id = "", , lives = "", shown = ""] = row.split("|").map((cell) => cell.trim());
    return [...lives.split(", "), ...shown.split(", ")]
      .filter((path) => path === "" || !existsSync(join(repository, path)))
      .map((path) => `${id}: ${path}`);
  });
  assert.deepEqual(gone, []);
});

test("every decision is in the index", () => {
  const index = read("docs/decisions/README.md");
  const decisions = readdirSync(join(repository, "docs/decisions")).filter((name) => name.endsWith(".md") && name !== "README.md");
  assert.deepEqual(
    decisions.filter((name) => !index.includes(`(${name})`)),
    [],
  );
});

test("every page of docs/ is in its index", () => {
  const index = read("docs/README.md");
  const names = pages.flatMap((path) => /^docs\/((?:ci\/)?(?!README)[\w-]+\.md)$/.exec(path)?.[1] ?? []);
  assert.deepEqual(
    names.filter((name) => !index.includes(`(${name})`)),
    [],
  );
});

test("the hello example of the pages is the one that runs", () => {
  const body = read("examples/hello/hello.cue").split("\n").slice(1).join("\n").trim();
  for (const page of ["README.md", "docs/getting-started.md"]) assert.ok(read(page).includes(body), `${page} shows another hello`);
});
