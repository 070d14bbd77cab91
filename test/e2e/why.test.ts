// dagger why on real registries, repositories and web servers: what names stand for, when a component ran and now.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Why } from "../../engine/index.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let git: GitServer;
let registry: TestRegistry;
let web: Server;
/** What the web server answers. */
let page = "one";

before(async () => {
  [bench, git, registry] = await Promise.all([startBench(), startGitServer(), startRegistry()]);
  web = createServer((_, response) => {
    response.setHeader("ETag", `"${page}"`);
    response.end(page);
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  web?.close();
  await registry?.stop();
  await git?.stop();
  await bench?.end();
});

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await bench.dagger(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

function config(name: string, cue: string): void {
  mkdirSync(join(bench.dir, name), { recursive: true });
  writeFileSync(join(bench.dir, name, "up.cue"), `package up\n\n${cue}`);
}

async function push(word: string): Promise<void> {
  config(
    "push",
    `app: #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "write-file", dest: "/word", content: "${word}"},
	{do: "push-container", ref: "${registry.host}/base:1"}]`,
  );
  await ok("up", "push", "--progress", "quiet");
}

const why = async (...more: readonly string[]): Promise<Why> =>
  JSON.parse(await ok("why", "app", "ci", "--output", "json", ...more)) as Why;

test("an image, a git ref and an address that stand for something else are told with both; then nothing is", async () => {
  await ok("init");
  await push("one");
  const first = await git.commit("app", { "hello.txt": "one" });
  config(
    "ci",
    `app: #up: [
	{do: "fetch-container", ref: "${registry.host}/base:1"},
	{do: "copy", from: [{do: "fetch-git", remote: "${git.url}/app", ref: "main"}], dest: "/src"},
	{do: "copy", from: [{do: "fetch-http", url: "http://127.0.0.1:${(web.address() as AddressInfo).port}/page"}], dest: "/page"},
	{do: "exec", args: ["true"]},
	{do: "save-dir", dest: "./out", src: "/src"},
]`,
  );
  await ok("up", "ci", "--progress", "quiet");
  assert.equal((await why()).verdict, "cached");

  await push("two");
  page = "two";
  const second = await git.commit("app", { "hello.txt": "two" });
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
  await ok("up", "ci", "--progress", "quiet");
  assert.equal((await why()).verdict, "cached");
  const ran = await why("--run", "latest");
  assert.deepEqual([ran.verdict, ran.run?.state, ran.changes[0]?.changes.length], ["changed", "done", 3]);
});
