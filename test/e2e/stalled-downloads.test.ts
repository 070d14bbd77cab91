// Downloads of which a part comes and then nothing more: layers, files, repositories. Each ends with one clear error, and the next run works.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type StallingProxy, startStallingProxy } from "../support/stalling-proxy.ts";
import { type Bench, type Outcome, startBench, untilIdle } from "./dagger.ts";

const layerSize = 20_000_000;
let bench: Bench;
let registry: TestRegistry;
let registryProxy: StallingProxy;
let git: GitServer;
let gitProxy: StallingProxy;
let files: Server;
let fileHost: string;
let stalls = true;

before(async () => {
  [bench, registry, git] = await Promise.all([startBench({ daemonHistory: true }), startRegistry(), startGitServer()]);
  [registryProxy, gitProxy] = await Promise.all([startStallingProxy(registry.host), startStallingProxy(`127.0.0.1:${git.port}`)]);
  await git.commit("app", { blob: randomBytes(400_000).toString("hex") });
  files = createServer((_, response: ServerResponse) => {
    response.writeHead(200, { "Content-Length": "10" });
    if (stalls) response.write("half");
    else response.end("whole file");
  });
  await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
  fileHost = `127.0.0.1:${(files.address() as AddressInfo).port}`;
});
after(async () => {
  files.closeAllConnections();
  files.close();
  await Promise.all([bench.end(), registryProxy.stop(), gitProxy.stop()]);
  await Promise.all([registry.stop(), git.stop()]);
});

async function run(name: string, ops: string, timeout: string): Promise<Outcome> {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "job.cue"), `package job\napp: #up: [\n  ${ops},\n]\n`);
  return bench.dagger(["up", "--progress", "plain", `./${name}`], { DAGGER_NETWORK_TIMEOUT: timeout });
}

async function assertStalled({ code, stderr }: Outcome, says: RegExp): Promise<void> {
  assert.equal(code, 1, stderr);
  assert.equal(stderr.match(/^error\[/gm)?.length, 1, stderr);
  assert.match(stderr, /error\[download-stalled\]: `fetch-/);
  assert.match(stderr, says);
  assert.match(stderr, /--> \S*job\.cue:3:\d+/);
  await untilIdle(bench.daemon);
}

test("a layer that stops halfway ends the run with its op, line, layer, host and seconds; the next run works", async () => {
  mkdirSync(join(bench.dir, "push/src"), { recursive: true });
  writeFileSync(join(bench.dir, "push/src/blob"), randomBytes(layerSize));
  const image = `{do: "fetch-container", ref: "busybox"}, {do: "copy", from: [{do: "local", dir: "./src"}], dest: "/"}`;
  const pushed = await run("push", `${image}, {do: "push-container", ref: "${registry.host}/big:1"}`, "1m");
  assert.equal(pushed.code, 0, pushed.stderr);
  await bench.prune();
  const pull = `{do: "fetch-container", ref: "${registryProxy.host}/big:1"}, {do: "exec", args: ["true"]}`;
  registryProxy.stallAfter(3_000_000);
  const stalled = await run("pull", pull, "3s");
  const host = registryProxy.host.replaceAll(".", "\\.");
  await assertStalled(
    stalled,
    new RegExp(
      `${host}/big:1\` of app failed: the layer sha256:\\w{64} stopped at \\d.* of 20\\.0 MB: nothing more came from ${host} for 3 s`,
    ),
  );
  registryProxy.stallAfter(Infinity);
  const again = await run("pull", pull, "1m");
  assert.equal(again.code, 0, again.stderr);
});

test("a file that stops halfway ends the run; the next run works", async () => {
  const op = `{do: "fetch-http", url: "http://${fileHost}/file"}`;
  await assertStalled(await run("file", op, "1s"), /`fetch-http .*` of app failed: nothing came from 127\.0\.0\.1:\d+ for 5 s/);
  stalls = false;
  const again = await run("file", op, "1m");
  assert.equal(again.code, 0, again.stderr);
});

test("a repository that stops halfway ends the run; the next run works", async () => {
  const op = `{do: "fetch-git", remote: "http://${gitProxy.host}/app", ref: "main"}`;
  gitProxy.stallAfter(100_000);
  await assertStalled(await run("repository", op, "1s"), /`fetch-git .*` of app failed: nothing came from 127\.0\.0\.1:\d+ for 5 s/);
  gitProxy.stallAfter(Infinity);
  const again = await run("repository", op, "1m");
  assert.equal(again.code, 0, again.stderr);
});

test("a process that is silent for longer than any download may be is left alone", async () => {
  const { code, stderr } = await run("silent", `{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["sleep", "7"]}`, "1s");
  assert.equal(code, 0, stderr);
});
