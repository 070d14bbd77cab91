// Sources that are followed on real servers: what is new in one runs the nodes behind it, and nothing else; what cannot be asked stops no other.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createEngine, type Engine, type WatchEvent } from "../../engine/embedding/index.ts";
import type { FollowEvent } from "../../engine/index.ts";
import { repository } from "./dagger.ts";
import { dataWorld } from "./data.ts";
import { FollowReader, late } from "./follows.ts";

const world = dataWorld();
const { up, builds, environment, good, dagger, latest } = world;
let engine: Engine;
const nodes = new Map<string, string>();

const shell = (text: string): readonly string[] => ["--", "sh", "-c", text];

async function addNode(name: string, inputs: string, output: string, ...command: readonly string[]): Promise<void> {
  nodes.set(name, (await good("node", "run", "--input", inputs, "--output", output, ...command)).trim());
}

test("sources and nodes are added, and a node runs at once", async () => {
  await up.git.commit("app", { "main.c": "one" });
  up.page = "terms";
  builds.set(1, "build 1");
  mkdirSync(join(world.dir, "drop"));
  writeFileSync(join(world.dir, "drop/a.txt"), "a");
  writeFileSync(join(world.bucket, "object"), "o");
  await good("init");
  const keys = ["--secret", "accessKey=env:S3_ID", "--secret", "secretKey=env:S3_KEY"];
  await good("connector", "add", "s3", "store", `endpoint=${world.s3.url}`, ...keys);
  await good("source", "add", "app", `${up.git.url}/app`, "-k", "git");
  await good("source", "add", "terms", up.url);
  await good("source", "add", "dmg", world.releases, "-k", "release", "--build", "version");
  await good("source", "add", "drop", "./drop");
  await good("source", "add", "store", "s3://downloads");
  await pushImage("one");
  await good("source", "add", "base", `${up.registry.host}/base:1`);
  for (const name of ["binary", "package", "page"]) await good("source", "add", name);
  await addNode("build", "app", "binary", ...shell("cp ${app:ROOT}/main.c ${binary:ROOT}/binary"));
  await addNode("pack", "binary,drop", "package", ...shell("cat ${binary:ROOT}/binary ${drop:ROOT}/* > ${package:ROOT}/package"));
  await addNode("publish", "terms", "page", ...shell("cat ${terms:ROOT}/* > ${page:ROOT}/page"));
  engine = await createEngine({ env: environment(), cwd: world.dir });
});
after(() => engine?.close());

async function pushImage(text: string): Promise<void> {
  const dir = join(up.bench.dir, "push");
  mkdirSync(dir, { recursive: true });
  const ops = `[{do: "scratch"}, {do: "write-file", dest: "/what", content: "${text}"}, {do: "push-container", ref: "${up.registry.host}/base:1"}]`;
  writeFileSync(join(dir, "up.cue"), `package up\nimage: #up: ${ops}\n`);
  await up.succeed("up", dir);
}

function namesOf(ids: readonly string[]): readonly string[] {
  const names = new Map([...nodes].map(([name, id]) => [id, name]));
  return ids.map((id) => names.get(id.slice(0, 8)) ?? "?");
}

test("a new version of a source runs the nodes behind it, in order, and no others", async () => {
  const reader = new FollowReader(engine, { sources: "only" });
  await reader.rest();
  assert.deepEqual(namesOf(reader.computed()), []);
  const commit = await up.git.commit("app", { "main.c": "two" });
  await reader.news("app");
  await reader.until(
    (event): event is FollowEvent => event.type === "node" && event.state === "done" && event.node.startsWith(nodes.get("pack") ?? "-"),
  );
  assert.deepEqual(namesOf(reader.computed()), ["build", "pack"]);
  assert.equal(await latest("app"), `sha1:${commit}`);
  up.page = "new terms";
  await reader.news("terms");
  await reader.until((event): event is FollowEvent => event.type === "node" && event.state === "done");
  assert.deepEqual(namesOf(reader.computed()), ["publish"]);
  // A directory is heard of, however seldom it is asked.
  await good("source", "set", "drop", "--poll", "0");
  writeFileSync(join(world.dir, "drop/b.txt"), "b");
  await reader.news("drop");
  await reader.until((event): event is FollowEvent => event.type === "node" && event.state === "done");
  assert.deepEqual(namesOf(reader.computed()), ["pack"]);
  await reader.end();
});

test("images, buckets and lists of releases are followed, too; what is pinned or paused is not", async () => {
  const reader = new FollowReader(engine, { sources: "only" });
  await reader.rest();
  await pushImage("two");
  await reader.news("base");
  writeFileSync(join(world.bucket, "object"), "another");
  await reader.news("store");
  builds.set(2, "build 2");
  await reader.news("dmg");
  const dmg = await latest("dmg");
  await good("source", "pin", "dmg", dmg);
  await good("source", "pause", "store");
  // Who asked before that is answered first.
  for (const text of ["three", "four"]) {
    up.page = text;
    await reader.news("terms");
  }
  builds.set(3, "build 3");
  writeFileSync(join(world.bucket, "object"), "the third");
  reader.seen.length = 0;
  for (const text of ["after three", "after four"]) {
    up.page = text;
    await reader.news("terms");
  }
  // What is computed meanwhile is new, too.
  for (const event of reader.seen) if (event.type === "source") assert.ok(!["dmg", "store"].includes(event.source), event.source);
  await good("source", "unpin", "dmg");
  await reader.news("dmg");
  await good("source", "resume", "store");
  await reader.news("store");
  await reader.end();
});

test("a source that disappears is told once, stops no other, and goes on when it is back", async () => {
  const reader = new FollowReader(engine, { sources: "only" });
  await reader.rest();
  const before = new Map(builds);
  builds.clear();
  const failed = await reader.until(
    (event): event is Extract<FollowEvent, { state: "failed"; source: string }> => event.type === "source" && event.state === "failed",
  );
  assert.equal(failed.source, "dmg");
  assert.equal(failed.error.diagnostics[0]?.code, "source-gone");
  for (const text of ["five", "six", "seven"]) {
    up.page = text;
    await reader.news("terms");
  }
  assert.equal(reader.seen.filter((event) => event.type === "source" && event.state === "failed").length, 1);
  for (const [number, text] of before) builds.set(number, text);
  builds.set(4, "build 4");
  await reader.until((event): event is FollowEvent => event.type === "source" && event.state === "back");
  await reader.news("dmg");
  await reader.end();
});

test("a node that fails is told and waits for new versions; one that is added while sources are followed is followed", async () => {
  await good("source", "add", "broken");
  const reader = new FollowReader(engine, { sources: "only" });
  await reader.rest();
  const added = await dagger(
    "node",
    "run",
    "--input",
    "app",
    "--output",
    "broken",
    ...shell("grep -q fine ${app:ROOT}/main.c && cp ${app:ROOT}/main.c ${broken:ROOT}"),
  );
  assert.equal(added.code, 1, added.stderr);
  const id = added.stdout.trim();
  await up.git.commit("app", { "main.c": "bad" });
  const failed = await reader.until(
    (event): event is Extract<FollowEvent, { type: "node"; state: "failed" }> =>
      event.type === "node" && event.state === "failed" && event.node.startsWith(id),
  );
  assert.equal(failed.error.exit, 1);
  assert.equal(failed.again, undefined);
  await up.git.commit("app", { "main.c": "fine" });
  await reader.until((event): event is FollowEvent => event.type === "node" && event.state === "done" && event.node.startsWith(id));
  assert.ok(reader.seen.filter((event) => event.type === "node" && event.state === "start" && event.node.startsWith(id)).length <= 3);
  await good("node", "remove", id, "--yes");
  await reader.end();
});

test("a node that runs is cancelled when what it takes has a new version, and runs for that; it is finished first where that is asked", async () => {
  const file = join(world.dir, "moving/a");
  mkdirSync(join(world.dir, "moving"));
  writeFileSync(file, "");
  await good("source", "add", "moving", "./moving");
  await good("source", "add", "still");
  const held = `if grep -q held \${moving:ROOT}/a; then echo begins; until wget -q -O - ${up.url} | grep -q released; do sleep 1; done; fi`;
  const id = (await good("node", "run", "--input", "moving", "--output", "still", ...shell(held))).trim();
  type OfNode = Extract<FollowEvent, { type: "node" }>;
  const isOf = (event: WatchEvent): event is OfNode => event.type === "node" && event.node.startsWith(id);
  // At once: a file that is written in place is empty for a moment, which is a version, too.
  const write = (text: string): void => {
    writeFileSync(join(world.dir, "next"), text);
    renameSync(join(world.dir, "next"), file);
  };
  for (const queue of [false, true]) {
    const reader = new FollowReader(engine, { sources: "only", queue });
    const ended = (event: WatchEvent): event is OfNode => isOf(event) && event.state !== "start" && event.state !== "event";
    await reader.rest();
    write(`held ${queue}`);
    await reader.until((event): event is OfNode => isOf(event) && event.state === "event" && event.event.type === "log");
    write(`free ${queue}`);
    await reader.news("moving");
    if (queue) up.page = "released";
    // What is read while it changes is a version that nobody has any more: the node is then looked at once more.
    const states: string[] = [];
    for (const dones = queue ? 2 : 1; states.filter((state) => state === "done").length < dones; ) {
      const event = await reader.until(ended);
      states.push(event.state === "failed" ? `failed: ${event.error.message}` : event.state);
      assert.ok(event.state !== "failed", states.join("\n"));
    }
    assert.equal(states[0], queue ? "done" : "superseded");
    await reader.end();
  }
  await good("node", "remove", id, "--yes");
});

test("a config that takes a source runs again when that has a new version; one that takes none does not", async () => {
  const config = join(world.dir, "config");
  mkdirSync(config);
  const value =
    'import "cuellb.dev/data"\napp: data.#Source & {name: "app"}\nvalue: {string, #up: [{do: "copy", from: app, src: "/main.c", dest: "/v"}, {do: "export", source: "/v"}]}\n';
  writeFileSync(join(config, "up.cue"), `package config\n\n${value}`);
  const reader = new FollowReader(engine, { dir: "config" });
  type End = Extract<WatchEvent, { type: "end" }>;
  const gives = async (value: string): Promise<unknown> =>
    reader.until((event): event is End => event.type === "end" && event.outcome === "done" && event.result.computed["value"] === value);
  await gives("fine");
  up.page = "for nobody";
  await reader.news("terms");
  await up.git.commit("app", { "main.c": "for the config" });
  await gives("for the config");
  const changed = reader.seen.flatMap((event) => (event.type === "start" ? (event.trigger?.changed ?? []) : []));
  assert.ok(changed.includes("source app"), changed.join());
  assert.ok(!changed.includes("source terms"), changed.join());
  await reader.end();
  rmSync(config, { recursive: true });
});

test("dagger watch follows sources where there is no config, tells what is wrong with the workspace, and dagger daemon does it in the background", async (t) => {
  const child = spawn(join(repository, "bin/dagger"), ["watch", "--poll", "300ms", "--progress", "plain"], {
    cwd: world.dir,
    env: environment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  // Whatever fails: what still watches would keep the test from ending.
  t.after(() => child.kill("SIGKILL"));
  let told = "";
  child.stderr.on("data", (data: Buffer) => (told += data.toString()));
  const until = async (what: RegExp): Promise<void> => {
    for (const end = Date.now() + late; !what.test(told); await sleep(100)) assert.ok(Date.now() < end, `${what}: ${told}`);
  };
  await until(/Following \d+ sources for 3 nodes/);
  await up.git.commit("app", { "main.c": "for the command" });
  await until(
    /app:[0-9a-f]{8} is new\n[\s\S]*Node [0-9a-f]{8} gave binary:[0-9a-f]{8}\n[\s\S]*Node [0-9a-f]{8} gave package:[0-9a-f]{8}\n/,
  );
  writeFileSync(join(world.dir, ".dagger/sources/odd.json"), '{"kind": "odd"}');
  await until(/error\[bad-workspace-file\]/);
  rmSync(join(world.dir, ".dagger/sources/odd.json"));
  told = "";
  await up.git.commit("app", { "main.c": "again" });
  await until(/gave package:/);
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 130);

  const started = await dagger("daemon", "start", "--poll", "300ms");
  assert.equal(started.code, 0, started.stderr);
  try {
    await up.git.commit("app", { "main.c": "in the background" });
    for (const end = Date.now() + late; !/gave package:/.test((await dagger("daemon", "logs")).stdout); await sleep(200))
      assert.ok(Date.now() < end);
  } finally {
    await good("daemon", "stop");
  }
});
