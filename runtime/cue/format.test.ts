// What is formatted is held against the pinned cue command: its own `cue fmt`, on every CUE file of the repository and on messy ones.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { cue } from "../../test/support/cue.ts";
import { inDirectory, newEvaluator, refused, repository } from "./testing.ts";

const evaluator = await newEvaluator();
after(() => evaluator.close());

/** The contents of all CUE files of the repository. */
function repositoryFiles(): string[] {
  const list = execFileSync("git", ["ls-files", "-z", "*.cue"], { cwd: repository, encoding: "utf8" });
  return list
    .split("\0")
    .filter((name) => name !== "")
    .map((name) => readFileSync(path.join(repository, name), "utf8"));
}

/** As people type who do not care: other indents, blank lines, comments, line ends. The same seed gives the same text. */
function mess(text: string, seed: number): string {
  let state = seed;
  const random = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const lines = text.split("\n").flatMap((line) => {
    // Inside of texts of many lines blanks count; such lines stay.
    if (/"""|'''|\\\(|^\s*[^\s"{}[\]:]+$/.test(line)) return [line];
    const indented = `${[" ", "\t", "   ", "", "\t "][random(5)]}${line.trim()}${["", " ", "\t"][random(3)]}`;
    const spaced = random(3) === 0 ? indented.replace(/: /, [":", ":   ", ":\t"][random(3)] ?? ":") : indented;
    return [spaced, ...(random(8) === 0 ? ["", ""] : []), ...(random(12) === 0 ? [`//a comment ${random(100)}`] : [])];
  });
  return lines.join(random(6) === 0 ? "\r\n" : "\n") + ["", "\n", "\n\n\n"][random(3)];
}

/** What `cue fmt` makes of each text. */
async function official(texts: readonly string[]): Promise<string[]> {
  const name = (index: number): string => `f${index}.cue`;
  return inDirectory(Object.fromEntries(texts.map((text, index) => [name(index), text])), async (dir) => {
    await cue(dir, {}, "fmt", "--files", ".");
    return texts.map((_, index) => readFileSync(path.join(dir, name(index)), "utf8"));
  });
}

async function ours(text: string): Promise<string | undefined> {
  return evaluator.format([{ name: "a.cue", text }]).then(
    ([formatted]) => formatted,
    () => undefined,
  );
}

test("every CUE file of the repository is formatted as cue fmt formats it", async () => {
  const texts = repositoryFiles();
  assert.ok(texts.length > 10);
  const expected = await official(texts);
  for (const [index, text] of texts.entries()) assert.equal(await ours(text), expected[index]);
});

test("messy files are formatted as cue fmt does it", async () => {
  const files = repositoryFiles().filter((text) => text.length < 20_000);
  const texts = Array.from({ length: 150 }, (_, seed) => mess(files[seed % files.length] ?? "", seed + 1));
  const kept: string[] = [];
  for (const text of texts) if ((await ours(text)) !== undefined) kept.push(text);
  assert.ok(kept.length > 75, `only ${kept.length} of the messy files still parse`);
  const expected = await official(kept);
  for (const [index, text] of kept.entries()) assert.equal(await ours(text), expected[index]);
});

test("what is formatted once stays as it is", async () => {
  const once = (await ours(mess('package a\n\n// Doc.\na: b: [1,2, {c: "x"}]\nif true {d:   1}\n', 7))) ?? "";
  assert.equal(await ours(once), once);
});

test("every syntax error of every file is told, and nothing is formatted then", async () => {
  const found = await refused(
    evaluator.format([
      { name: "a.cue", text: "a: 1\n" },
      { name: "b.cue", text: "b: [1 2]\n" },
      { name: "c.cue", text: "c: {\n" },
    ]),
  );
  assert.deepEqual(
    found.map(({ code, at: [first] }) => [code, first?.file]),
    [
      ["cue-syntax", "b.cue"],
      ["cue-syntax", "c.cue"],
    ],
  );
});

test("a file that waits for a load is not changed by being formatted", async () => {
  const text = "a:   1\n\n\nb: a+1\n";
  await evaluator.scan([{ name: "a.cue", text }]);
  assert.deepEqual(await evaluator.format([{ name: "a.cue", text }]), ["a: 1\n\nb: a + 1\n"]);
  assert.equal((await evaluator.scan([{ name: "a.cue", text }])).length, 1);
});

test("a byte order mark goes, as CUE has it", async () => {
  assert.equal(await ours("\uFEFFa: 1\n"), "a: 1\n");
});
