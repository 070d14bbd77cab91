// Inputs that are too large, changed on their way, or never end, from the command line: one clear error each, nothing left, and the next run works.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { busyboxLayout, type TestLayout } from "../support/images.ts";
import { layoutRegistry } from "../support/layout-registry.ts";
import { startRegistry } from "../support/registry.ts";
import { startStallingProxy } from "../support/stalling-proxy.ts";
import { type Bench, type Outcome, repository, startBench, untilIdle } from "./dagger.ts";

let bench: Bench;
let image: TestLayout;
before(async () => {
  [bench, image] = await Promise.all([startBench({ daemonHistory: true }), busyboxLayout()]);
});
after(async () => bench.end());

function write(name: string, cue: string): string {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "job.cue"), `package job\n${cue}\n`);
  return `./${name}`;
}

/** One error, and no trace of a crash. */
function assertFailed({ code, stderr }: Outcome, exit: number, says: RegExp): void {
  assert.equal(code, exit, stderr);
  assert.equal(stderr.match(/^error\[/gm)?.length, 1, stderr);
  assert.match(stderr, says);
  assert.doesNotMatch(stderr, /unhandled|^\s+at .*\.c?js:\d+/im);
}

test("a secret over 500 KiB, and one that never ends, are refused before anything runs", async () => {
  const dir = write(
    "secret",
    `app: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["cat", "/s"], mount: "/s": secret: "s"}, {do: "save-dir", dest: "out"}]`,
  );
  writeFileSync(join(bench.dir, "large"), Buffer.alloc(500 * 1024 + 1));
  writeFileSync(join(bench.dir, "most"), Buffer.alloc(500 * 1024));
  for (const file of ["large", "/dev/zero"]) {
    const outcome = await bench.dagger(["up", "--progress", "plain", "--secret", `s=file:${file}`, dir]);
    assertFailed(outcome, 2, /error\[secret-too-large\]: Secret "s" has more than the 500 KiB that BuildKit takes/);
    assert.equal(existsSync(join(bench.dir, "secret/out")), false);
  }
  const most = await bench.dagger(["up", "--progress", "plain", "--secret", "s=file:most", dir]);
  assert.equal(most.code, 0, most.stderr);
});

test("a layer whose bytes are not what its digest says ends the run at its op; after a prune the true one is taken", async () => {
  const served = { ...image, dir: join(bench.dir, "layout") };
  cpSync(image.dir, served.dir, { recursive: true });
  const blobs = join(served.dir, "blobs/sha256");
  const sizes = readdirSync(blobs).map((name) => [statSync(join(blobs, name)).size, join(blobs, name)] as const);
  const [, layer = ""] = sizes.sort(([a], [b]) => b - a)[0] ?? [];
  const whole = readFileSync(layer);
  const changed = Buffer.from(whole);
  changed[1000] = (changed[1000] ?? 0) ^ 1;
  const registry = await layoutRegistry(served, "me:pass");
  try {
    const dir = write(
      "changed",
      `login: #up: [{do: "docker-login", target: "${registry.host}", username: "me", secret: "p"}]
app: #up: [
  {do: "fetch-container", ref: "${registry.host}/busybox"},
  {do: "exec", args: ["true"]}]`,
    );
    const up = (password: string): Promise<Outcome> =>
      bench.dagger(["up", "--progress", "plain", "--secret", "p=env:P", dir], { P: password });
    assertFailed(await up("wrong"), 1, /error\[image-unavailable\]: Cannot resolve the image .*(401|unauthorized|authorization)/i);
    await bench.prune();
    writeFileSync(layer, changed);
    const outcome = await up("pass");
    assertFailed(outcome, 1, /error\[layer-damaged\]: `fetch-container .*` of app failed: its layer sha256:\w{64} is damaged/);
    assert.match(outcome.stderr, /job\.cue:4:3/);
    writeFileSync(layer, whole);
    // The daemon keeps what came, and would take it for the rest of a download.
    assertFailed(await up("pass"), 1, /error\[layer-damaged\]: .* is damaged[\s\S]*dagger prune/);
    const pruned = await bench.dagger(["prune"]);
    assert.equal(pruned.code, 0, pruned.stderr);
    const again = await up("pass");
    assert.equal(again.code, 0, again.stderr);
  } finally {
    await registry.close();
  }
});

test("Ctrl-C ends a run whose layer stands still, and the daemon gives up the download", async () => {
  const registry = await startRegistry();
  const proxy = await startStallingProxy(registry.host);
  try {
    const push = write("push", `app: #up: [{do: "fetch-container", ref: "busybox"}, {do: "push-container", ref: "${registry.host}/b:1"}]`);
    assert.equal((await bench.dagger(["up", push])).code, 0);
    await bench.prune();
    const dir = write(
      "pull",
      `app: #up: [{do: "fetch-container", ref: "${proxy.host}/b:1"}, {do: "exec", args: ["true"]}, {do: "save-dir", dest: "out"}]`,
    );
    proxy.stallAfter(500_000);
    const child = spawn(join(repository, "bin/dagger"), ["up", "--progress", "plain", dir], {
      cwd: bench.dir,
      env: { PATH: process.env["PATH"] ?? "", HOME: bench.dir, BUILDKIT_HOST: bench.daemon.address },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(child, "exit") as Promise<[number | null]>;
    let seen = "";
    child.stderr.on("data", (chunk: Buffer) => {
      const already = /sha256:\w+ .*MB/.test(seen);
      seen += chunk.toString();
      if (!already && /sha256:\w+ .*MB/.test(seen)) child.kill("SIGINT");
    });
    const [code] = await ended;
    assert.equal(code, 130, seen);
    assert.equal(existsSync(join(bench.dir, "pull/out")), false);
    await untilIdle(bench.daemon);
    proxy.stallAfter(Number.POSITIVE_INFINITY);
    assert.equal((await bench.dagger(["up", dir])).code, 0);
  } finally {
    await proxy.stop();
    await registry.stop();
  }
});
