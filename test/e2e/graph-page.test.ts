// The page of a graph in a real browser: what is drawn, search, clicks, zoom, keys, light and dark, and a run with its logs.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;
let browser: TestBrowser;
before(async () => {
  bench = await startBench();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await bench?.end();
});

const small = `package small

base: #up: [{do: "fetch-container", ref: "busybox"}]
app: #up: [
	{do: "load", from: base},
	{do: "exec", args: ["sh", "-c", "echo '</script>' && touch /made"]},
]
word: {
	string
	#up: [{do: "load", from: app}, {do: "write-file", dest: "/w", content: "x"}, {do: "export", source: "/w"}]
}
later: #up: [{do: "load", from: base}, {do: "write-file", dest: "/\\(word)", content: "y"}]
`;

/** Writes a config and makes its page; gives the file. */
async function makePage(name: string, config: string, ...flags: string[]): Promise<string> {
  mkdirSync(join(bench.dir, name), { recursive: true });
  writeFileSync(join(bench.dir, name, "up.cue"), config);
  const { code, stdout, stderr } = await bench.dagger(["graph", name, "--format", "html", ...flags]);
  assert.equal(code, 0, stderr);
  const file = join(bench.dir, `${name}.html`);
  writeFileSync(file, stdout);
  return file;
}

test("every step and component is drawn, and the page asks for nothing and tells no errors", async () => {
  const { page, troubles } = await browser.open(await makePage("small", small));
  assert.equal(await page.locator("g.step").count(), 4);
  assert.equal(await page.locator("g.box").count(), 3);
  assert.equal(await page.textContent("#count"), "4 steps in 3 components");
  assert.deepEqual(troubles, []);
});

test("a click on a step shows its op, its line and what it needs; a click beside it hides them", async () => {
  const { page, troubles } = await browser.open(await makePage("small", small));
  await page.locator("g.step.exec").click();
  const details = page.locator("#details");
  assert.match((await details.textContent()) ?? "", /exec sh -c echo '<\/script>' && touch \/made/);
  assert.match((await details.locator("pre.source .here").textContent()) ?? "", /do: "exec"/);
  assert.match((await details.locator("pre").last().textContent()) ?? "", /"args"/);
  await details.getByRole("button", { name: "fetch-container docker.io/library/busybox:latest" }).click();
  assert.match((await details.locator("h2").textContent()) ?? "", /^fetch-container/);
  await details.getByRole("button", { name: "base", exact: true }).click();
  assert.match((await details.textContent()) ?? "", /componentbase.*Needed byapp/);
  await page.locator("#graph").click({ position: { x: 5, y: 5 } });
  assert.equal(await details.isVisible(), false);
  assert.deepEqual(troubles, []);
});

test("search lists what fits, dims the rest, and goes to what is chosen", async () => {
  const { page, troubles } = await browser.open(await makePage("small", small));
  await page.keyboard.press("/");
  await page.keyboard.type("app touch");
  assert.equal(await page.locator("#found [role=option]").count(), 1);
  assert.equal(await page.locator("g.step:not(.dim)").count(), 1);
  await page.keyboard.press("Enter");
  assert.match((await page.locator("#details h2").textContent()) ?? "", /touch \/made/);
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("g.step.dim").count(), 0);
  await page.keyboard.press("/");
  await page.keyboard.type("nowhere");
  assert.match((await page.textContent("#found")) ?? "", /Nothing found/);
  assert.deepEqual(troubles, []);
});

test("wheel, buttons and keys zoom and move; arrow keys go from step to step", async () => {
  const { page, troubles } = await browser.open(await makePage("small", small));
  const transform = async (): Promise<string> => {
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    return (await page.getAttribute("#world", "transform")) ?? "";
  };
  const scale = async (): Promise<number> => Number(/scale\(([\d.]+)\)/.exec(await transform())?.[1]);
  const begin = await scale();
  await page.mouse.move(600, 400);
  await page.mouse.wheel(0, -300);
  await page.waitForFunction(`!document.querySelector("#world").getAttribute("transform").includes("scale(${begin})")`);
  assert.ok((await scale()) > begin);
  await page.keyboard.press("0");
  assert.equal(await scale(), begin);
  await page.getByRole("button", { name: "Zoom out" }).click();
  assert.ok((await scale()) < begin);
  const before = await transform();
  await page.keyboard.press("Shift+ArrowRight");
  assert.notEqual(await transform(), before);
  for (const [key, words] of [
    ["ArrowDown", /^fetch-container/],
    ["ArrowRight", /^exec/],
    ["ArrowLeft", /^fetch-container/],
    ["c", /^base$/],
  ] as const) {
    await page.keyboard.press(key);
    assert.match((await page.locator("#details h2").textContent()) ?? "", words);
  }
  await page.keyboard.press("?");
  assert.equal(await page.locator("dialog").isVisible(), true);
  assert.deepEqual(troubles, []);
});

test("at the level of components a box has what it is about, its steps, and the components beside it", async () => {
  const { page, troubles } = await browser.open(await makePage("small", small, "--level", "components"));
  assert.equal(await page.textContent("#count"), "4 components");
  assert.equal(await page.locator("g.box.faint").count(), 1);
  assert.equal(await page.locator("path.outer.value").count(), 1);
  await page.locator('g.box[data-path="word"] g.step').first().click();
  const details = page.locator("#details");
  assert.match((await details.textContent()) ?? "", /Needsapp.*Needed bylater.*Stepswrite-file \/w/);
  assert.equal(await page.locator("path.outer.lit").count(), 2);
  await page.keyboard.press("ArrowLeft");
  assert.match((await details.textContent()) ?? "", /Needsbase.*Needed byword/);
  await page.keyboard.press("/");
  await page.keyboard.type("later");
  assert.equal(await page.locator("#found [role=option]").count(), 1);
  assert.deepEqual(troubles, []);
});

test("sources and nodes have a page with their files and commands, and light their lines", async () => {
  const { code, stdout, stderr } = await bench.dagger([
    "graph",
    join(repository, "examples/pinata"),
    "--level",
    "data",
    "--format",
    "html",
  ]);
  assert.equal(code, 0, stderr);
  const file = join(bench.dir, "pinata.html");
  writeFileSync(file, stdout);
  const { page, troubles } = await browser.open(file);
  assert.equal(await page.textContent("#count"), "15 sources and 8 nodes");
  assert.equal(await page.locator("path.outer.part").count(), 4);
  await page.locator("g.box.round > text:not(.large)", { hasText: /^report\.sh$/ }).click();
  const details = page.locator("#details");
  assert.match((await details.textContent()) ?? "", /^×nodereport\.sh.*"inputs".*Needstests.*Needed byreports.*Command# Sums up/s);
  assert.equal(await page.locator("path.outer.lit").count(), 2);
  await details.getByRole("button", { name: "tests", exact: true }).click();
  assert.match((await details.textContent()) ?? "", /^×sourcetests.*"path".*Needscandidate\.shtest\.sh/s);
  await page.fill("#search", "gcc");
  assert.equal(await page.locator("#found [role=option]").count(), 1);
  assert.deepEqual(troubles, []);
});

/** What a person could not read: boxes that lie on each other, and words that are longer than what they stand in. */
const unreadable = `(() => {
  const found = [];
  const boxes = [...document.querySelectorAll("g.box")].map((box) => ({ name: box.dataset.path, at: box.querySelector("rect").getBoundingClientRect() }));
  if (boxes.length === 0) found.push("nothing is drawn");
  for (const [index, { name, at }] of boxes.entries())
    for (const other of boxes.slice(index + 1))
      if (at.left < other.at.right && other.at.left < at.right && at.top < other.at.bottom && other.at.top < at.bottom)
        found.push(name + " lies on " + other.name);
  for (const text of document.querySelectorAll("g.box > text, g.step text")) {
    const [word, around] = [text.getBoundingClientRect(), text.parentElement.querySelector("rect").getBoundingClientRect()];
    if (word.left < around.left || word.right > around.right || word.top < around.top || word.bottom > around.bottom)
      found.push(text.textContent + " is longer than its box");
  }
  return found;
})()`;

test("in the pictures of the pages no box lies on another, and every word is whole, light and dark", async () => {
  const pictures = readdirSync(join(repository, "docs")).filter((name) => name.endsWith(".svg"));
  assert.ok(pictures.includes("harbor.svg") && pictures.includes("pinata.svg"));
  for (const name of pictures) {
    for (const dark of [false, true]) {
      const { page, troubles } = await browser.open(join(repository, "docs", name), { dark });
      assert.deepEqual(await page.evaluate(unreadable), [], name);
      assert.deepEqual(troubles, [], name);
      await page.close();
    }
  }
});

test("light and dark follow the system, and a button", async () => {
  const file = await makePage("small", small);
  const paper = "getComputedStyle(document.body).backgroundColor";
  const light = await (await browser.open(file)).page.evaluate(paper);
  const { page } = await browser.open(file, { dark: true });
  assert.notEqual(await page.evaluate(paper), light);
  await page.getByRole("button", { name: "Theme" }).click();
  assert.equal(await page.evaluate(paper), light);
});

test("a run shows states, times and logs, and a timeline with the steps of later passes, too", async () => {
  const config = small.replace("touch /made", "echo said");
  mkdirSync(join(bench.dir, "ran"), { recursive: true });
  writeFileSync(join(bench.dir, "ran/up.cue"), config);
  const { code, stderr } = await bench.dagger(["up", "ran", "--progress", "json"]);
  assert.equal(code, 0, stderr);
  writeFileSync(join(bench.dir, "run.jsonl"), stderr);
  const { page, troubles } = await browser.open(await makePage("ran", config, "--run", "run.jsonl"));
  assert.equal(await page.locator('g.step[data-state="done"]').count(), 4);
  await page.locator("g.step.exec").click();
  assert.match((await page.textContent("#details")) ?? "", /Ran in \d/);
  assert.match((await page.textContent("#details pre.log")) ?? "", /said/);
  assert.match((await page.textContent("#timeline .head")) ?? "", /2 passes: CUE waited for word/);
  assert.equal(await page.locator(".bar-row:disabled", { hasText: "later: write-file" }).count(), 1);
  await page.locator(".bar-row", { hasText: "word: write-file" }).click();
  assert.match((await page.locator("#details h2").textContent()) ?? "", /write-file \/w/);
  assert.deepEqual(troubles, []);
});

test("two thousand steps are drawn, found and shown", async () => {
  const many = `package many
import "list"
c: {for i in list.Range(0, 200, 1) {"stage-\\(i)": #up: [
	{do: "fetch-container", ref: "busybox"},
	for k in list.Range(0, 9, 1) {{do: "exec", args: ["echo", "\\(i).\\(k)"]}},
	if i > 9 {{do: "copy", from: c["stage-\\(i-10)"], src: "/etc", dest: "/x"}},
]}}
`;
  const { page, troubles } = await browser.open(await makePage("many", many));
  assert.ok((await page.locator("g.step").count()) >= 2000);
  // Names of components can be read where steps cannot.
  assert.equal(await page.locator("#graph.far").count(), 1);
  await page.fill("#search", "stage-77 77.5");
  await page.press("#search", "Enter");
  assert.equal(await page.locator("#details h2").textContent(), "exec echo 77.5");
  assert.equal(await page.locator("g.step.chosen").isVisible(), true);
  assert.equal(await page.locator("#graph.far").count(), 0);
  assert.deepEqual(troubles, []);
});

test("a run that cannot be read is told, with how to make one", async () => {
  for (const [name, text, words] of [
    ["missing.jsonl", undefined, /Cannot read the run in missing.jsonl/],
    ["text.jsonl", "hello\nworld\n", /Line 1 of text.jsonl is no progress of a run/],
    ["empty.jsonl", "", /There is no run in empty.jsonl/],
  ] as const) {
    if (text !== undefined) writeFileSync(join(bench.dir, name), text);
    const { code, stderr } = await bench.dagger(["graph", "small", "--format", "html", "--run", name]);
    assert.equal(code, 2);
    assert.match(stderr, words);
    assert.match(stderr, /error\[bad-run-record\]/);
    assert.match(stderr, /dagger up --progress json/);
  }
});
