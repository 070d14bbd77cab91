// The daemon's own history has a run when it was asked to record it, and never one with secrets.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Bench, buildctl, startBench } from "./dagger.ts";

let bench: Bench;
before(async () => {
  bench = await startBench();
  const config = `package ci\napp: #up: [{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "exec", args: ["true"]}]\n`;
  writeFileSync(join(bench.dir, "ci.cue"), config);
});
after(() => bench?.end());

async function records(): Promise<number> {
  const lines = await buildctl(bench.daemon, "debug", "histories", "--format", "{{json .}}");
  return lines.split("\n").filter((line) => line !== "").length;
}

async function up(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, stderr } = await bench.dagger(["up", ".", ...args], env);
  assert.equal(code, 0, stderr);
}

test("a run is in the history of the daemon only when that is asked for", async () => {
  await up([]);
  assert.equal(await records(), 0);
  await up(["--daemon-history"]);
  assert.equal(await records(), 1);
  await up([], { DAGGER_DAEMON_HISTORY: "on" });
  assert.equal(await records(), 2);
});

test("a run with secrets never is", async () => {
  const already = await records();
  await up(["--daemon-history", "--secret", "token=env:TOKEN"], { TOKEN: "0123456789" });
  assert.equal(await records(), already);
});
