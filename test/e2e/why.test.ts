// dagger why on real registries, repositories and web servers: what names stand for, when a component ran and now.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Why } from "../../engine/index.ts";
import { upstream } from "./upstream.ts";

const up = upstream();

function config(name: string, cue: string): void {
  mkdirSync(join(up.bench.dir, name), { recursive: true });
  writeFileSync(join(up.bench.dir, name, "up.cue"), `package up\n\n${cue}`);
}

async function push(word: string): Promise<void> {
  config(
    "push",
    `app: #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "write-file", dest: "/word", content: "${word}"},
	{do: "push-container", ref: "${up.registry.host}/base:1"}]`,
  );
  await up.succeed("up", "push", "--progress", "quiet");
}

const why = async (...more: readonly string[]): Promise<Why> =>
  JSON.parse((await up.succeed("why", "app", "ci", "--output", "json", ...more)).stdout) as Why;

test("an image, a git ref and an address that stand for something else are told with both; then nothing is", async () => {
  await up.succeed("init");
  await push("one");
  const first = await up.git.commit("app", { "hello.txt": "one" });
  config(
    "ci",
    `app: #up: [
	{do: "fetch-container", ref: "${up.registry.host}/base:1"},
	{do: "copy", from: [{do: "fetch-git", remote: "${up.git.url}/app", ref: "main"}], dest: "/src"},
	{do: "copy", from: [{do: "fetch-http", url: "${up.url}"}], dest: "/page"},
	{do: "exec", args: ["true"]},
	{do: "save-dir", dest: "./out", src: "/src"},
]`,
  );
  await up.succeed("up", "ci", "--progress", "quiet");
  assert.equal((await why()).verdict, "cached");

  await push("two");
  up.page = "two";
  const second = await up.git.commit("app", { "hello.txt": "two" });
  const changed = await why();
  assert.equal(changed.verdict, "changed");
  const sources = (changed.changes[0]?.changes ?? []).map((one) => (one.kind === "source" ? one : assert.fail(JSON.stringify(one))));
  assert.deepEqual(
    sources.map(({ name }) => name.split(" ")[0]),
    ["git", "http", "image"],
  );
  assert.deepEqual([sources[0]?.before, sources[0]?.after], [first, second]);
  for (const { before, after } of sources.slice(1)) {
    assert.match(String(before), /^sha256:[0-9a-f]{64}$/);
    assert.match(String(after), /^sha256:[0-9a-f]{64}$/);
    assert.notEqual(before, after);
  }
  await up.succeed("up", "ci", "--progress", "quiet");
  assert.equal((await why()).verdict, "cached");
  const ran = await why("--run", "latest");
  assert.deepEqual([ran.verdict, ran.run?.state, ran.changes[0]?.changes.length], ["changed", "done", 3]);
});
