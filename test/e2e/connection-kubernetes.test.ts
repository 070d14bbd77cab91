// A daemon in a pod: reached through the real kubectl, with the streams of a real container runtime.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startPod, type TestPod } from "../support/pod.ts";
import { failureAt, versionAt } from "./connections.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;
let pod: TestPod;
let env: Readonly<Record<string, string>>;

before(async () => {
  bench = await startBench();
  pod = await startPod(bench.daemon.address);
  // kubectl keeps what it knows of a server in HOME.
  env = { ...pod.env, HOME: bench.dir };
});
after(async () => {
  await pod.stop();
  await bench.end();
});

/** What runs in a pod ends a moment after its client has. */
async function untilNothingRuns(): Promise<void> {
  while ((await pod.running()).length > 0) await sleep(20);
}

test("a daemon in a pod answers, by the context at hand or by another one, in the first container or in a named one", async () => {
  for (const address of [
    "kube-pod://builder",
    "kube-pod://builder?container=buildkitd",
    "kube-pod://builder?context=builds",
    "kube-pod://builder?context=elsewhere&namespace=builds&container=buildkitd",
  ]) {
    assert.match(await versionAt(address, { env }), /^v\d/, address);
  }
  await untilNothingRuns();
});

test("a whole job runs in a pod: many bytes in and out, a secret, a value", { timeout: 120_000 }, async () => {
  const dir = join(bench.dir, "job");
  mkdirSync(join(dir, "src"), { recursive: true });
  // Every byte there is, and more than fits into the windows on the way.
  const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(20 << 20)]);
  writeFileSync(join(dir, "src/bytes"), bytes);
  writeFileSync(join(dir, "password"), "in-a-pod");
  const config = `package job

work: #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "exec", args: ["sh", "-c", "mkdir /out && cp /src/bytes /out/ && wc -c < /password | tr -d ' \\\\n' > /length"], mount: {
		"/src": {from: [{do: "local", dir: "src"}]}
		"/password": {secret: "password"}
	}},
]
length: {
	#up: [{do: "load", from: work}, {do: "export", source: "/length", format: "number"}]
	int
}
saved: #up: [{do: "load", from: work}, {do: "save-dir", src: "/out", dest: "out"}]
`;
  writeFileSync(join(dir, "job.cue"), config);
  const args = ["up", dir, "--progress", "quiet", "--output", "json", "--secret", `password=file:${join(dir, "password")}`];
  const { code, stdout, stderr } = await bench.dagger(args, { ...env, BUILDKIT_HOST: "kube-pod://builder" });
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { values: { length: number } }).values.length, "in-a-pod".length);
  assert.ok(readFileSync(join(dir, "out/bytes")).equals(bytes));
  await untilNothingRuns();
});

test("what kubectl says is quoted, with what to do", async () => {
  const [exit, code, message, hint] = await failureAt("kube-pod://nobody", { env });
  assert.deepEqual([exit, code], [3, "no-daemon"]);
  assert.match(message, /^Cannot connect .* at kube-pod:\/\/nobody: kubectl ended with exit code 1: .*pods "nobody" not found/);
  assert.match(hint, /kubectl --context= --namespace= exec --container= -i nobody -- buildctl dial-stdio$/);

  const other = await failureAt("kube-pod://builder?container=other", { env });
  assert.match(other[2], /: kubectl ended with exit code 1: /);
  assert.match(other[2], /exec: "buildctl": executable file not found in \$PATH$/);
  assert.equal(other[3], "buildctl must be installed where the daemon runs, and on PATH there");

  const [, , unknown] = await failureAt("kube-pod://builder?context=nowhere", { env });
  assert.match(unknown, /kubectl ended with exit code 1: .*context was not found for specified context: nowhere/);
});

test("an interrupted job leaves nothing that runs in the pod", { timeout: 120_000 }, async () => {
  const dir = join(bench.dir, "long");
  mkdirSync(dir);
  writeFileSync(
    join(dir, "long.cue"),
    `package long\nlong: #up: [{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["sleep", "1000"]}]\n`,
  );
  const variables = { ...env, DAGGER_DATA_DIR: join(bench.dir, "data"), BUILDKIT_HOST: "kube-pod://builder" };
  const child = spawn(join(repository, "bin/dagger"), ["up", dir, "--progress", "plain"], {
    env: variables,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "exit");
  for await (const line of createInterface(child.stderr)) if (/exec sleep 1000/.test(line)) child.kill("SIGINT");
  assert.deepEqual(await ended, [130, null]);
  await untilNothingRuns();
});
