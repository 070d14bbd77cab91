// Nodes and configs that lead to themselves, through places that lie in one another: found, ended and told; what settles is none.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createEngine, type Engine, type WatchEvent } from "../../engine/embedding/index.ts";
import type { FollowEvent } from "../../engine/index.ts";
import { dataWorld } from "./data.ts";
import { FollowReader } from "./follows.ts";

const world = dataWorld();
const { good } = world;
let engine: Engine;

type NodeEvent = Extract<FollowEvent, { type: "node" }>;
const isFailed = (event: WatchEvent): event is Extract<NodeEvent, { state: "failed" }> => event.type === "node" && event.state === "failed";

test("a workspace has a bucket", async () => {
  await good("init");
  const keys = ["--secret", "accessKey=env:S3_ID", "--secret", "secretKey=env:S3_KEY"];
  await good("connector", "add", "s3", "store", `endpoint=${world.s3.url}`, ...keys);
  engine = await createEngine({ env: world.environment(), cwd: world.dir });
});
after(() => engine?.close());

async function addNode(input: string, output: string, command: string): Promise<string> {
  return (await good("node", "run", "--input", input, "--output", output, "--", "sh", "-c", command)).trim();
}

/** Puts one more file into what it gives, for each time that it runs. */
const grow = (input: string, output: string): string => `touch \${${output}:ROOT}/$(find \${${input}:ROOT}/ -type f | wc -l)`;

test("a node that gives into a directory that it takes ends after three rounds, and goes on after a change from outside", async () => {
  mkdirSync(join(world.dir, "drop/out"), { recursive: true });
  writeFileSync(join(world.dir, "drop/a.txt"), "a");
  await good("source", "add", "drop", "./drop");
  await good("source", "add", "out", "./drop/out");
  const id = await addNode("drop", "out", grow("drop", "out"));
  const reader = new FollowReader(engine, { sources: "only" });
  const { node, error, again } = await reader.until(isFailed);
  assert.equal(node.slice(0, 8), id);
  assert.equal(again, undefined);
  assert.equal(error.diagnostics[0]?.code, "data-loop");
  assert.match(
    error.message,
    /3 times in a row nothing had changed in the source drop but what came from the node itself: [0-9a-f]{8} → drop$/,
  );
  assert.deepEqual(readdirSync(join(world.dir, "drop/out")).sort(), ["1", "2", "3"]);
  writeFileSync(join(world.dir, "drop/b.txt"), "b");
  await reader.until(isFailed);
  assert.deepEqual(readdirSync(join(world.dir, "drop/out")).length, 6);
  await reader.end();
  await good("node", "remove", id, "--yes");
});

test("nodes that feed each other through a bucket are told with their way", async () => {
  writeFileSync(join(world.bucket, "object"), "o");
  await good("source", "add", "bucket", "s3://downloads");
  await good("source", "add", "middle");
  await good("source", "add", "shelf", "s3://downloads/shelf");
  const first = await addNode("bucket", "middle", "find ${bucket:ROOT}/ -type f | wc -l > ${middle:ROOT}/count");
  const second = await addNode("middle", "shelf", "touch ${shelf:ROOT}/$(cat ${middle:ROOT}/count)");
  const reader = new FollowReader(engine, { sources: "only" });
  const { error } = await reader.until(isFailed);
  assert.equal(error.diagnostics[0]?.code, "data-loop");
  const ways = [`${first} → middle → ${second} → bucket`, `${second} → bucket → ${first} → middle`];
  assert.ok(
    ways.some((way) => error.message.endsWith(way)),
    error.message,
  );
  await reader.end();
  for (const id of [first, second]) await good("node", "remove", id, "--yes");
});

test("a node that gives the same again is in no loop, however often something else changes", async () => {
  mkdirSync(join(world.dir, "notes/sum"), { recursive: true });
  writeFileSync(join(world.dir, "notes/0.txt"), "0");
  await good("source", "add", "notes", "./notes");
  await good("source", "add", "sum", "./notes/sum");
  const id = await addNode("notes", "sum", "cat ${notes:ROOT}/*.txt > ${sum:ROOT}/all");
  const reader = new FollowReader(engine, { sources: "only" });
  const all = (): string => readFileSync(join(world.dir, "notes/sum/all"), "utf8");
  for (const n of [1, 2, 3, 4, 5]) {
    writeFileSync(join(world.dir, `notes/${n}.txt`), `${n}`);
    do await reader.rest();
    while (!all().includes(`${n}`));
  }
  const codes = reader.seen.filter(isFailed).map(({ error }) => error.diagnostics[0]?.code);
  assert.ok(!codes.includes("data-loop"), codes.join());
  await reader.end();
  await good("node", "remove", id, "--yes");
});

test("a config that saves into a source that it takes ends its rounds, and runs again after a change from outside", async () => {
  mkdirSync(join(world.dir, "site"));
  writeFileSync(join(world.dir, "site/a.txt"), "a");
  await good("source", "add", "site", "./site");
  mkdirSync(join(world.dir, "config"));
  writeFileSync(
    join(world.dir, "config/up.cue"),
    `package config

import ("cuellb.dev/data", "cuellb.dev/op")

site: data.#Source & {name: "site"}
_image: op.#FetchContainer & {ref: "docker.io/library/busybox:latest"}
grown: #up: [
	_image,
	op.#Exec & {args: ["sh", "-c", "mkdir /out; touch /out/$(ls /site | wc -l)"], mount: "/site": from: site},
	op.#SaveDir & {src: "/out", dest: "../site"},
]
`,
  );
  type Warning = Extract<WatchEvent, { type: "warning" }>;
  const isLoop = (event: WatchEvent): event is Warning => event.type === "warning" && event.code === "watch-loop";
  const reader = new FollowReader(engine, { dir: "config" });
  const { message, detail } = await reader.until(isLoop);
  assert.match(message, /^Runs go round in a loop: component grown saves into the source site, which the config takes/);
  assert.match(detail.join(), /dagger source pin site VERSION/);
  const runs = reader.seen.filter((event) => event.type === "start").length;
  assert.ok(runs <= 6, `${runs} runs`);
  writeFileSync(join(world.dir, "site/b.txt"), "b");
  await reader.until((event): event is Extract<WatchEvent, { type: "start" }> => event.type === "start");
  await reader.until(isLoop);
  await reader.end();
});
