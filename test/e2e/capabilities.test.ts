// What a real daemon says that it can do: all that we could ask for, asked once per version and remembered.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { allCapabilities } from "../../compiler/llb/support.ts";
import { connect, type DaemonCapabilities } from "../../runtime/solve/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { startProxy } from "../support/proxy.ts";

const dir = mkdtempSync(join(tmpdir(), "dagger-caps-"));
let daemon: TestDaemon;

before(async () => {
  daemon = await startBuildkitd();
});
after(async () => {
  await daemon.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Asks through a proxy; also gives the calls that it took. */
async function ask(cache: string): Promise<{ found: DaemonCapabilities | undefined; calls: readonly string[] }> {
  const proxy = await startProxy(daemon.address);
  const client = await connect(proxy.address);
  const found = await client.capabilities({ DAGGER_CACHE_DIR: cache });
  client.close();
  await proxy.stop();
  return { found, calls: proxy.calls.map((call) => call.replace(/.*\//, "")) };
}

test("the pinned daemon has every capability that a graph can ask for", async () => {
  const { found } = await ask(join(dir, "all"));
  assert.match(found?.name ?? "", /^BuildKit v\d+\.\d+\.\d+/);
  assert.deepEqual(
    allCapabilities().filter((cap) => found?.caps.has(cap) !== true),
    [],
  );
});

test("a version is asked once: from then on one short call tells", async () => {
  const cache = join(dir, "once");
  const first = await ask(cache);
  assert.deepEqual([...first.calls].sort(), ["Info", "Ping", "Return", "Solve"]);
  const second = await ask(cache);
  assert.deepEqual(second.calls, ["Info"]);
  assert.deepEqual([...(second.found?.caps ?? [])].sort(), [...(first.found?.caps ?? [])].sort());
});

test("a broken memory is made anew, and a directory that cannot be written costs only another question", async () => {
  const cache = join(dir, "broken");
  await ask(cache);
  const [name = ""] = readdirSync(join(cache, "capabilities"));
  const file = join(cache, "capabilities", name);
  const good = readFileSync(file, "utf8");
  for (const bad of ["", "{", "[]", "[1]", '{"caps":[]}']) {
    writeFileSync(file, bad);
    assert.equal((await ask(cache)).found?.caps.has("mergeop"), true);
    assert.equal(readFileSync(file, "utf8"), good);
  }
  writeFileSync(join(dir, "file"), "");
  assert.equal((await ask(join(dir, "file"))).found?.caps.has("mergeop"), true);
});

test("a daemon that goes away while it is asked is left to the job to tell", async () => {
  const proxy = await startProxy(daemon.address);
  const client = await connect(proxy.address);
  proxy.cut("up", 0);
  assert.equal(await client.capabilities({ DAGGER_CACHE_DIR: join(dir, "gone") }), undefined);
  client.close();
  await proxy.stop();
});

test("asking leaves no build behind on the daemon", async () => {
  await ask(join(dir, "left"));
  assert.doesNotMatch(await daemon.log(), /level=error/);
});
