// A watched job on a real buildkitd and real files: what runs again after a change, and what does not.
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createEngine, type Engine, type WatchOptions } from "../../engine/embedding/index.ts";
import { startGitServer } from "../support/git-server.ts";
import { type Bench, runDagger, startBench } from "./dagger.ts";
import { late, valuesOf, Watch } from "./watches.ts";

let bench: Bench;
let engine: Engine;
before(async () => {
  bench = await startBench();
  const env = { PATH: process.env["PATH"], HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), BUILDKIT_HOST: bench.daemon.address };
  engine = await createEngine({ env, cwd: bench.dir });
});
after(async () => {
  await engine?.close();
  await bench?.end();
});

function watching(name: string, files: Readonly<Record<string, string>>, options: WatchOptions = {}): Watch {
  return new Watch({ engine, dir: bench.dir }, name, files, options);
}

const busybox = '{do: "fetch-container", ref: "docker.io/library/busybox:latest"}';
const two = `package up

a: {string, #up: [{do: "local", dir: "src", exclude: ["*.tmp"]}, {do: "export", source: "/a.txt"}]}
b: {string, #up: [{do: "local", dir: "lib"}, {do: "export", source: "/b.txt"}]}
user: {string, #up: [${busybox}, {do: "exec", args: ["sh", "-c", "printf '<%s>' \\"$A\\" > /v"], env: A: a}, {do: "export", source: "/v"}]}
both: "\\(a) \\(b) \\(user)"
`;

test("only what uses a changed file runs again, and the values of all others are still there", async () => {
  const watch = watching("two", { "up.cue": two, "src/a.txt": "a", "lib/b.txt": "b" });
  assert.deepEqual(valuesOf(await watch.round()), { a: "a", b: "b", user: "<a>", both: "a b <a>" });
  await watch.waiting();
  watch.write({ "lib/b.txt": "B" });
  const lib = await watch.round();
  assert.deepEqual(valuesOf(lib), { a: "a", b: "B", user: "<a>", both: "a B <a>" });
  assert.deepEqual([lib.start.components, lib.executed], [["b"], ["b"]]);
  assert.deepEqual(lib.start.trigger, { kind: "watch", changed: ["two/lib/b.txt"], more: 0 });
  await watch.waiting();
  // What is excluded, and what is the same, begins no run: the next one knows nothing of it.
  watch.write({ "src/x.tmp": "x", "lib/b.txt": "B" });
  watch.write({ "src/a.txt": "A" });
  const src = await watch.round();
  assert.deepEqual(valuesOf(src), { a: "A", b: "B", user: "<A>", both: "A B <A>" });
  assert.deepEqual([src.start.components, src.executed, src.start.trigger?.changed], [["a", "user"], ["a", "user"], ["two/src/a.txt"]]);
  await watch.end();
});

test("a config that breaks is told, and the watch goes on when it is mended", async () => {
  const config =
    'package up\n\na: {string, #up: [{do: "scratch"}, {do: "write-file", dest: "/v", content: "1"}, {do: "export", source: "/v"}]}\n';
  const watch = watching("broken", { "up.cue": config });
  assert.deepEqual(valuesOf(await watch.round()), { a: "1" });
  await watch.waiting();
  watch.write({ "up.cue": `${config}b: \n` });
  const broken = await watch.round();
  assert.equal(broken.end.outcome === "failed" && broken.end.error.exit, 2);
  await watch.waiting();
  // As editors do it that write beside the file.
  watch.write({ ".up.cue.swap": config.replace('"1"', '"2"') });
  renameSync(join(watch.dir, ".up.cue.swap"), join(watch.dir, "up.cue"));
  assert.deepEqual(valuesOf(await watch.round()), { a: "2" });
  await watch.waiting();
  watch.write({ "more.cue": "package up\n\nmore: 3\n" });
  assert.deepEqual(valuesOf(await watch.round()), { a: "2", more: 3 });
  await watch.end();
});

const naps = "98765431";
const napping = `package up

a: {string, #up: [${busybox}, {do: "copy", from: [{do: "local", dir: "src"}], dest: "/src"}, {do: "exec", args: ["sh", "-c", "if grep -q slow /src/a.txt; then sleep ${naps}; fi"]}, {do: "export", source: "/src/a.txt"}]}
`;

/** Processes of the machine that sleep as the test's steps do. */
function nappers(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${naps}\0`;
    } catch {
      return false;
    }
  });
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + late; !holds(); await new Promise((resolve) => setTimeout(resolve, 50)))
    if (Date.now() > end) throw new Error("it does not come to hold");
}

test("a change while a run goes on takes its place, and nothing of it is left on the daemon; so does Ctrl-C", async () => {
  const watch = watching("naps", { "up.cue": napping, "src/a.txt": "slow" });
  const first = watch.round();
  await until(() => nappers().length === 1);
  watch.write({ "src/a.txt": "fast" });
  assert.equal((await first).end.outcome, "superseded");
  assert.deepEqual(valuesOf(await watch.round()), { a: "fast" });
  await until(() => nappers().length === 0);
  await watch.waiting();
  watch.write({ "src/a.txt": "slow again" });
  await until(() => nappers().length === 1);
  await watch.end();
  await until(() => nappers().length === 0);
});

test("what a run saves into a directory that it watches begins no run; a loop with somebody else is broken and told", async () => {
  const config = `package up

site: #up: [{do: "copy", from: [{do: "local", dir: "."}], src: "/in.txt", dest: "/out.txt"}, {do: "save-dir", dest: "out"}]
`;
  const watch = watching("loop", { "up.cue": config, "in.txt": "1" });
  assert.equal((await watch.round()).end.outcome, "done");
  await watch.waiting();
  // Somebody formats what is saved, every time.
  const out = join(watch.dir, "out/out.txt");
  let rounds = 0;
  while (!watch.warnings.includes("watch-loop")) {
    appendFileSync(out, "formatted");
    const event = await watch.event();
    if (event.type !== "start") continue;
    rounds++;
    while ((await watch.event()).type !== "waiting");
    assert.ok(rounds < 10, "the loop is not found");
  }
  assert.equal(rounds, 3);
  watch.write({ "in.txt": "2" });
  const next = await watch.round();
  assert.equal(next.end.outcome, "done");
  assert.equal(readFileSync(out, "utf8"), "2");
  await watch.end();
});

test("fifty thousand changes are one run", async () => {
  const watch = watching("flood", {
    "up.cue": 'package up\n\na: {string, #up: [{do: "local", dir: "src"}, {do: "export", source: "/0"}]}\n',
    "src/0": "begin",
  });
  assert.deepEqual(valuesOf(await watch.round()), { a: "begin" });
  await watch.waiting();
  for (let i = 0; i < 50_000; i++) writeFileSync(join(watch.dir, `src/${i % 50}`), `change ${i}`);
  const flooded = await watch.round();
  assert.deepEqual(valuesOf(flooded), { a: "change 49950" });
  assert.deepEqual([flooded.start.trigger?.changed.length, flooded.start.trigger?.more], [5, 45]);
  await watch.waiting();
  watch.write({ "src/0": "end" });
  const last = await watch.round();
  assert.deepEqual([last.start.run, valuesOf(last)], [3, { a: "end" }]);
  await watch.end();
});

test("a directory that disappears fails the run, and is watched again when it comes back", async () => {
  const watch = watching("away", { "up.cue": two, "src/a.txt": "a", "lib/b.txt": "b" });
  await watch.round();
  await watch.waiting();
  rmSync(join(watch.dir, "lib"), { recursive: true });
  const gone = await watch.round();
  assert.equal(gone.end.outcome === "failed" && gone.end.error.diagnostics[0]?.code, "local-not-found");
  await watch.waiting();
  watch.write({ "lib/b.txt": "back" });
  assert.deepEqual(valuesOf(await watch.round()), { a: "a", b: "back", user: "<a>", both: "a back <a>" });
  await watch.waiting();
  watch.write({ "lib/b.txt": "again" });
  assert.deepEqual(valuesOf(await watch.round()), { a: "a", b: "again", user: "<a>", both: "a again <a>" });
  await watch.end();
});

test("a commit on a branch and a Dockerfile begin runs", async () => {
  const git = await startGitServer();
  try {
    await git.commit("app", { "v.txt": "1" });
    const config = `package up

name: string
repo: {string, #up: [{do: "fetch-git", remote: "${git.url}/app", ref: "main"}, {do: "export", source: "/v.txt"}]}
image: {string, #up: [{do: "docker-build", context: [{do: "local", dir: "image"}]}, {do: "export", source: "/w"}]}
`;
    const files = {
      "up.cue": config,
      "image/Dockerfile": "FROM scratch\nCOPY w /w\n",
      "image/w": "w",
      "image/w2": "w2",
      "name.txt": "Ada",
    };
    const watch = watching("names", files, { poll: 300, inputs: { name: "Ada" } });
    assert.deepEqual(valuesOf(await watch.round()), { name: "Ada", repo: "1", image: "w" });
    await watch.waiting();
    await git.commit("app", { "v.txt": "2" });
    const pulled = await watch.round();
    assert.deepEqual(valuesOf(pulled), { name: "Ada", repo: "2", image: "w" });
    assert.deepEqual(pulled.start.components, ["repo"]);
    await watch.waiting();
    watch.write({ "image/Dockerfile": "FROM scratch\nCOPY w2 /w\n" });
    const built = await watch.round();
    assert.deepEqual(valuesOf(built), { name: "Ada", repo: "2", image: "w2" });
    assert.deepEqual(built.executed, ["image"]);
    await watch.end();
  } finally {
    await git.stop();
  }
});

test("each run is in the history with what began it", async () => {
  const dir = join(bench.dir, "kept");
  assert.equal((await bench.dagger(["init", dir])).code, 0);
  const watch = watching("kept", { "up.cue": two, "src/a.txt": "a", "lib/b.txt": "b" });
  await watch.round();
  await watch.waiting();
  watch.write({ "lib/b.txt": "B" });
  await watch.round();
  await watch.end();
  assert.ok(existsSync(join(dir, ".dagger")));
  const { stdout } = await runDagger(["history", "show", "latest"], dir, { PATH: process.env["PATH"] ?? "", HOME: bench.dir });
  assert.match(stdout, /^trigger +watch: kept\/lib\/b\.txt$/m);
});

test("what a schedule runs comes at its time, alone, again and again; a change of what only it takes runs nothing", async () => {
  const watch = watching("scheduled", {
    "up.cue": `package up

import "cuellb.dev/op"

_busybox: op.#FetchContainer & {ref: "busybox:latest"}
app: {string, #up: [op.#Local & {dir: "src"}, op.#Export & {source: "/a.txt", format: "string"}]}
still: #up: [_busybox]
tick: {string, #up: [_busybox, op.#Exec & {args: ["sh", "-c", "cat /in/b.txt > /v"], always: true, mount: "/in": from: op.#Local & {dir: "other"}}, op.#Export & {source: "/v", format: "string"}]} @dagger(schedule="* * * * * *")
`,
    "src/a.txt": "one",
    "other/b.txt": "first",
  });
  const first = await watch.round();
  assert.deepEqual(first.start.components, []);
  assert.ok(!first.executed.includes("tick"));
  const second = await watch.round();
  assert.deepEqual(second.start.components, ["tick"]);
  assert.equal(second.start.trigger?.kind, "schedule");
  assert.deepEqual(second.start.trigger.changed, ["tick at * * * * * * (UTC)"]);
  assert.ok(second.executed.includes("tick"));
  assert.deepEqual(valuesOf(second), { app: "one", still: {}, tick: "first" });
  // Whatever else begins a run, the next one of the schedule takes what is there then.
  watch.write({ "other/b.txt": "second" });
  for (;;) {
    const { start, end } = await watch.round();
    assert.deepEqual(start.components, ["tick"]);
    if (end.outcome === "done" && (end.result.values as { tick: string }).tick === "second") break;
  }
  watch.write({ "src/a.txt": "two" });
  for (;;) {
    const round = await watch.round();
    if (round.start.trigger?.kind !== "watch") continue;
    assert.deepEqual(round.start.components, ["app"]);
    assert.deepEqual((valuesOf(round) as { app: string }).app, "two");
    break;
  }
  await watch.end();
});
