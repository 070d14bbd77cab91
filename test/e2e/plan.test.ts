// Plans: what a run would do, held against what a run did; and saved plans, which run as they are or are refused.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Plan } from "../../engine/index.ts";
import { busyboxRoot } from "../support/images.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
before(async () => {
  bench = await startBench();
});
after(() => bench?.end());

const config = `package plan

version: string | *"1"
src: #up: [{do: "local", dir: "src", include: ["*.txt"]}]
app: #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "copy", from: src, dest: "/src"},
	{do: "exec", args: ["sh", "-c", "cat /src/*.txt > /all; echo \\(version) >> /all"]},
	{do: "save-dir", dest: "out"},
]
alone: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["touch", "/alone"]}]
word: {
	string
	#up: [{do: "load", from: app}, {do: "exec", args: ["sh", "-c", "tr -d '\\\\n' < /all > /word"]}, {do: "export", source: "/word"}]
}
later: #up: [{do: "scratch"}, {do: "write-file", dest: "/\\(word)", content: "x"}]
now: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["true"], always: true}, {do: "exec", args: ["touch", "/after"]}]
`;

/** A fresh config; gives its directory's name. */
function write(name: string): string {
  mkdirSync(join(bench.dir, name, "src"), { recursive: true });
  writeFileSync(join(bench.dir, name, "up.cue"), config);
  writeFileSync(join(bench.dir, name, "src/a.txt"), "a\n");
  return name;
}

async function planOf(name: string, ...flags: string[]): Promise<Plan> {
  const { code, stdout, stderr } = await bench.dagger(["plan", name, "--output", "json", ...flags], {
    BUILDKIT_HOST: "unix:///nowhere.sock",
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Plan;
}

function states({ components }: Plan): Record<string, string> {
  return Object.fromEntries(components.map(({ path, state }) => [path, state]));
}

/** Runs it and keeps what it told. */
async function record(name: string): Promise<string> {
  const { code, stderr } = await bench.dagger(["up", name, "--progress", "json"]);
  assert.equal(code, 0, stderr);
  const file = `${name}.jsonl`;
  writeFileSync(join(bench.dir, file), stderr);
  return file;
}

test("without a daemon and a run, a plan tells what there is, what waits and what always runs, and that the cache is not known", async () => {
  const plan = await planOf(write("fresh"));
  assert.deepEqual(states(plan), { src: "unknown", app: "unknown", alone: "unknown", word: "unknown", later: "deferred", now: "run" });
  assert.deepEqual(plan.known, { from: "nothing" });
  assert.deepEqual(plan.passes, { atLeast: 2, because: ["word"], hosts: [] });
  const of = (path: string) => plan.components.find((component) => component.path === path);
  assert.deepEqual(of("later")?.because, ["It waits for word (string)"]);
  assert.deepEqual(of("app")?.effects, [{ kind: "save", what: join(bench.dir, "fresh/out") }]);
  assert.deepEqual(of("word")?.effects, [{ kind: "value", what: "word" }]);
  assert.deepEqual(of("now")?.effects, [{ kind: "always", what: "exec true" }]);
  assert.equal(existsSync(join(bench.dir, "fresh/out")), false);
  const text = (await bench.dagger(["plan", "fresh"])).stdout;
  assert.match(text, /deferred later\n +It waits for word \(string\)/);
  assert.match(text, /saves fresh\/out/);
  assert.match(text, /What is cached is not known/);
});

test("held against a run, everything is cached but what always runs, and a second run agrees", async () => {
  const file = await record(write("same"));
  const plan = await planOf("same", "--run", file);
  assert.deepEqual(states(plan), { src: "cached", app: "cached", alone: "cached", word: "cached", later: "deferred", now: "run" });
  assert.deepEqual(plan.components.find(({ path }) => path === "now")?.because, ["exec true runs always"]);
  assert.deepEqual(plan.steps, { total: 8, run: 2 });
  const again = await bench.dagger(["up", "same", "--progress", "json"]);
  const ran = again.stderr
    .split("\n")
    .flatMap((line) => (line.includes('"state":"done"') ? [JSON.parse(line) as { step: { component: string } }] : []));
  const components = new Set(ran.map(({ step }) => step.component));
  for (const component of ["alone", "word"]) assert.equal(components.has(component), false, component);
  assert.equal(components.has("now"), true);
});

test("a changed file, op or input is told as the reason, and what uses it runs, too", async () => {
  const file = await record(write("changed"));
  appendFileSync(join(bench.dir, "changed/src/a.txt"), "b\n");
  const plan = await planOf("changed", "--run", file);
  assert.deepEqual(states(plan), { src: "run", app: "run", alone: "cached", word: "run", later: "deferred", now: "run" });
  const because = (made: Plan, path: string) => made.components.find((component) => component.path === path)?.because;
  assert.match(String(because(plan, "src")), /^a\.txt \(local src\) has changed since that run$/);
  assert.deepEqual(because(plan, "app"), ["It uses src, which runs"]);
  // What is not uploaded does not count.
  const other = await record("changed");
  writeFileSync(join(bench.dir, "changed/src/b.md"), "b");
  assert.equal(states(await planOf("changed", "--run", other))["src"], "cached");
  const input = await planOf("changed", "--run", other, "-i", "version=2");
  assert.deepEqual(states(input), { src: "cached", app: "run", alone: "cached", word: "run", later: "deferred", now: "run" });
  assert.match(String(because(input, "app")), /exec sh -c cat .* is new, or has changed since that run/);
});

test("a saved plan is run as it is", async () => {
  write("saved");
  writeFileSync(join(bench.dir, "two"), "2");
  const made = await bench.dagger(["plan", "saved", "-i", "version=@two", "--out", "plan.json"]);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /dagger up --plan plan.json/);
  // Twice: a step that always runs does so each time.
  for (const _ of [1, 2]) {
    const { code, stderr } = await bench.dagger(["up", "--plan", "plan.json", "--progress", "plain"]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /exec true CACHED/);
  }
  assert.equal(readFileSync(join(bench.dir, "saved/out/all"), "utf8"), "a\n2\n");
});

test("a saved plan is refused when the config, an input, an image or a file is not as it was, and nothing is run", async () => {
  write("refused");
  writeFileSync(join(bench.dir, "three"), "3");
  const plan = async (): Promise<void> => {
    const { code, stderr } = await bench.dagger(["plan", "refused", "-i", "version=@three", "--out", "old.json"]);
    assert.equal(code, 0, stderr);
  };
  const refuses = async (...words: RegExp[]): Promise<void> => {
    const { code, stderr } = await bench.dagger(["up", "--plan", "old.json"]);
    assert.equal(code, 2, stderr);
    for (const word of words) assert.match(stderr, word);
    assert.match(stderr, /error\[plan-outdated\]/);
    assert.equal(existsSync(join(bench.dir, "refused/out")), false);
  };
  const file = (name: string): string => join(bench.dir, "refused", name);
  await plan();
  writeFileSync(file("src/a.txt"), "other\n");
  writeFileSync(file("src/b.txt"), "new\n");
  await refuses(/Local file refused\/src\/a\.txt has changed since old\.json was made/, /Local file refused\/src\/b\.txt was added/);
  await plan();
  rmSync(file("src/b.txt"));
  await refuses(/Local file refused\/src\/b\.txt is gone/);
  await plan();
  appendFileSync(file("up.cue"), "// A comment.\n");
  await refuses(/Config file refused\/up\.cue has changed/);
  await plan();
  writeFileSync(join(bench.dir, "three"), "4");
  await refuses(/Input version has changed/);
  await plan();
  const root = await busyboxRoot(join(bench.dir, "root"));
  cpSync("/etc/hostname", join(root, "etc/more"));
  const imported = await bench.dagger(["image", "import", "docker.io/library/busybox:latest", root]);
  assert.equal(imported.code, 0, imported.stderr);
  await refuses(/Image fetch-container docker\.io\/library\/busybox:latest is sha256:[0-9a-f]{64}, and no longer sha256:/);
  await plan();
  const { code, stderr } = await bench.dagger(["up", "--plan", "old.json"]);
  assert.equal(code, 0, stderr);
});

test("a file that is no plan, and flags that say what the plan says, are told", async () => {
  writeFileSync(join(bench.dir, "none.json"), "{}");
  writeFileSync(join(bench.dir, "new.json"), '{"format": 3, "request": {}, "world": {}}');
  for (const [args, words] of [
    [["--plan", "missing.json"], /Cannot use the plan in missing\.json: .*no such file/],
    [["--plan", "none.json"], /Cannot use the plan in none\.json: it is no plan/],
    [["--plan", "new.json"], /format 3, and this dagger knows format 2 only/],
    [["--plan", "none.json", "-t", "app", "-i", "a=b"], /it cannot go with --target, --input/],
  ] as const) {
    const { code, stderr } = await bench.dagger(["up", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, words);
  }
  const { code, stderr } = await bench.dagger(["plan", write("unwritten"), "--out", "no/such/plan.json"]);
  assert.equal(code, 3);
  assert.match(stderr, /error\[plan-not-written\]/);
});
