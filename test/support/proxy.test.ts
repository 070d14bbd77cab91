// The proxy counts what a real client asks of a real daemon, and breaks connections when told to.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { builtBinary, startBuildkitd, type TestDaemon } from "./buildkitd.ts";
import { startProxy } from "./proxy.ts";

const run = promisify(execFile);
let daemon: TestDaemon;
let context: string;

before(async () => {
  daemon = await startBuildkitd();
  context = await mkdtemp(join(tmpdir(), "dagger-context-"));
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile big /\n");
  await writeFile(join(context, "big"), Buffer.alloc(5 << 20, "x"));
});
after(async () => {
  await daemon.stop();
  await rm(context, { recursive: true, force: true });
});

function build(address: string, ...more: string[]): Promise<{ stdout: string }> {
  const flags = ["--frontend", "dockerfile.v0", "--local", `context=${context}`, "--local", `dockerfile=${context}`];
  return run(builtBinary("buildctl"), ["--addr", address, "build", ...flags, ...more]);
}

test("a build through the proxy works, and each request is counted once", async () => {
  const proxy = await startProxy(daemon.address);
  try {
    await build(proxy.address, "--output", `type=tar,dest=${context}/out.tar`);
    assert.equal(proxy.count("Control/Solve"), 1);
    assert.equal(proxy.count("Control/Session"), 1);
    assert.equal(proxy.count("Control/Status"), 1);
    assert.ok(proxy.bytes.up > 5 << 20 && proxy.bytes.down > 5 << 20);
    await build(proxy.address);
    assert.equal(proxy.count("/moby.buildkit.v1.Control/Solve"), 2);
  } finally {
    await proxy.stop();
  }
});

test("a cut connection fails the build, and later ones too", async () => {
  const proxy = await startProxy(daemon.address);
  try {
    proxy.cut("up", 10_000);
    await writeFile(join(context, "big"), Buffer.alloc(5 << 20, "y"));
    await assert.rejects(build(proxy.address));
    assert.ok(proxy.bytes.up <= 10_000);
    await assert.rejects(run(builtBinary("buildctl"), ["--addr", proxy.address, "--timeout", "1", "debug", "workers"]));
  } finally {
    await proxy.stop();
  }
});

test("a slow connection still works", async () => {
  const proxy = await startProxy(daemon.address);
  try {
    proxy.delay(20);
    const { stdout } = await run(builtBinary("buildctl"), ["--addr", proxy.address, "debug", "workers"]);
    assert.match(stdout, /linux\//);
  } finally {
    await proxy.stop();
  }
});
