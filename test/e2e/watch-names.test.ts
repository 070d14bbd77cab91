// What a watch asks for now and then: names of images, files at addresses; and directories that are reached by links.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createEngine, type Engine, type WatchOptions } from "../../engine/embedding/index.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, repository, startBench } from "./dagger.ts";
import { late, valuesOf, Watch } from "./watches.ts";

let bench: Bench;
let engine: Engine;
let registry: TestRegistry;
let server: Server;
let page = "one";

before(async () => {
  bench = await startBench();
  registry = await startRegistry();
  server = createServer((_, response) => {
    const etag = `"${createHash("sha256").update(page).digest("hex")}"`;
    response.writeHead(200, { etag, "content-type": "text/plain", "content-length": Buffer.byteLength(page) }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const env = { PATH: process.env["PATH"], HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), BUILDKIT_HOST: bench.daemon.address };
  engine = await createEngine({ env, cwd: bench.dir });
});
after(async () => {
  await engine?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  await registry?.stop();
  await bench?.end();
});

function watching(name: string, files: Readonly<Record<string, string>>, options: WatchOptions = {}): Watch {
  return new Watch({ engine, dir: bench.dir }, name, files, options);
}

async function push(text: string): Promise<void> {
  const dir = join(bench.dir, "pushed");
  mkdirSync(dir, { recursive: true });
  const ops = `[{do: "scratch"}, {do: "write-file", dest: "/v", content: "${text}"}, {do: "push-container", ref: "${registry.host}/app:latest"}]`;
  writeFileSync(join(dir, "up.cue"), `package up\n\na: #up: ${ops}\n`);
  await engine.up({ dir });
}

test("an image that is pushed anew under its tag, and another file at an address, run what takes them, and nothing else", async () => {
  await push("first");
  const { port } = server.address() as AddressInfo;
  const config = `package up

image: {string, #up: [{do: "fetch-container", ref: "${registry.host}/app:latest"}, {do: "export", source: "/v"}]}
file: {string, #up: [{do: "fetch-http", url: "http://127.0.0.1:${port}/page.txt"}, {do: "export", source: "/page.txt"}]}
still: {string, #up: [{do: "scratch"}, {do: "write-file", dest: "/v", content: "still"}, {do: "export", source: "/v"}]}
`;
  const watch = watching("polled", { "up.cue": config }, { poll: 300 });
  assert.deepEqual(valuesOf(await watch.round()), { image: "first", file: "one", still: "still" });
  await watch.waiting();
  await push("second");
  const pulled = await watch.round();
  assert.deepEqual(valuesOf(pulled), { image: "second", file: "one", still: "still" });
  assert.deepEqual(pulled.start.components, ["image"]);
  await watch.waiting();
  page = "two";
  const fetched = await watch.round();
  assert.deepEqual(valuesOf(fetched), { image: "second", file: "two", still: "still" });
  assert.deepEqual(fetched.start.components, ["file"]);
  await watch.end();
});

test("a directory that is a link is watched where it leads, also when it comes to lead elsewhere", async () => {
  const dir = join(bench.dir, "linked");
  const files = {
    "up.cue": `package up\n\na: {string, #up: [{do: "local", dir: "src"}, {do: "export", source: "/a.txt"}]}\n`,
    "real/a.txt": "one",
    "other/a.txt": "other",
  };
  mkdirSync(dir, { recursive: true });
  symlinkSync("real", join(dir, "src"));
  const watch = watching("linked", files);
  assert.deepEqual(valuesOf(await watch.round()), { a: "one" });
  await watch.waiting();
  watch.write({ "real/a.txt": "two" });
  assert.deepEqual(valuesOf(await watch.round()), { a: "two" });
  await watch.waiting();
  rmSync(join(dir, "src"));
  symlinkSync("other", join(dir, "src"));
  // Between the two it is not there.
  for (;;) {
    const round = await watch.round();
    if (round.end.outcome === "done" && (valuesOf(round) as { a: string }).a === "other") break;
  }
  await watch.end();
});

test("a run is finished before the next one begins where that is asked for", async () => {
  const config = `package up

slow: {string, #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "exec", args: ["sh", "-c", "sleep 3; cat /src/a.txt > /v"], always: true, mount: "/src": from: {do: "local", dir: "src"}}, {do: "export", source: "/v"}]}
`;
  const watch = watching("queued", { "up.cue": config, "src/a.txt": "one" }, { queue: true });
  for (;;) {
    const event = await watch.event();
    if (event.type === "event" && event.event.type === "step" && /^exec/.test(event.event.step.name) && event.event.state === "started")
      break;
  }
  watch.write({ "src/a.txt": "two" });
  let outcome: string | undefined;
  while (outcome === undefined) {
    const event = await watch.event();
    if (event.type === "end") outcome = event.outcome;
  }
  assert.equal(outcome, "done");
  assert.deepEqual(valuesOf(await watch.round()), { slow: "two" });
  await watch.end();
});

test("a system that lets nobody watch more directories ends the watch, with what to do", async () => {
  const dir = join(bench.dir, "limited");
  for (let i = 0; i < 20; i++) {
    mkdirSync(join(dir, "src", String(i)), { recursive: true });
    writeFileSync(join(dir, "src", String(i), "a.txt"), "a");
  }
  writeFileSync(join(dir, "up.cue"), 'package up\n\na: {string, #up: [{do: "local", dir: "src"}, {do: "export", source: "/1/a.txt"}]}\n');
  // The limit of a user namespace of its own: nobody else feels it.
  const script = 'echo 5 > /proc/sys/user/max_inotify_watches; exec "$0" watch "$1" --poll 0 --progress quiet';
  const env = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, BUILDKIT_HOST: bench.daemon.address };
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile("unshare", ["-Ur", "sh", "-c", script, join(repository, "bin/dagger"), dir], { env, timeout: late }, (error, _, told) =>
      resolve({ code: error?.code, stderr: told }),
    );
  });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /error\[watch-limit\]: The system lets nobody watch more directories\n.*fs\.inotify\.max_user_watches/);
});
