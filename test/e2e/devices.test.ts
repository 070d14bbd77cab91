// Devices of the daemon in a step, on a real buildkitd with a CDI specification of its own.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let daemon: TestDaemon;
const specs = mkdtempSync(join(tmpdir(), "cdi-"));

before(async () => {
  const zero = { name: "zero", containerEdits: { env: ["CDI=yes"], deviceNodes: [{ path: "/dev/test-zero", hostPath: "/dev/zero" }] } };
  writeFileSync(join(specs, "test.json"), JSON.stringify({ cdiVersion: "0.6.0", kind: "test.example/device", devices: [zero] }));
  [bench, daemon] = await Promise.all([
    startBench(),
    startBuildkitd({ config: `[cdi]\n  specDirs = [${JSON.stringify(specs)}]\n`, args: ["--allow-insecure-entitlement", "device"] }),
  ]);
});
after(async () => {
  await daemon?.stop();
  await bench?.end();
  rmSync(specs, { recursive: true, force: true });
});

async function run(name: string, devices: string, address: string) {
  const dir = join(bench.dir, name);
  mkdirSync(dir);
  const shell = "printf '%s %s' $(head -c 3 /dev/test-zero | wc -c) ${CDI-none} > /out";
  writeFileSync(
    join(dir, "up.cue"),
    `package up

app: {
	string
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "${shell}"], devices: [${devices}]},
		{do: "export", source: "/out"},
	]
}
`,
  );
  return bench.dagger(["compute", dir], { BUILDKIT_HOST: address });
}

test("a step gets the devices that it names, and does without an optional one that is not there", async () => {
  const { code, stdout, stderr } = await run(
    "both",
    `"test.example/device=zero", {name: "test.example/other=x", optional: true}`,
    daemon.address,
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '{"app":"3 yes"}\n');
});

test("a device that is not there, or that the daemon does not allow, fails the step or the job", async () => {
  const missing = await run("missing", `"test.example/device=other"`, daemon.address);
  assert.equal(missing.code, 1, missing.stderr);
  assert.match(missing.stderr, /test\.example\/device=other/);

  const forbidden = await run("forbidden", `"test.example/device=zero"`, bench.daemon.address);
  assert.notEqual(forbidden.code, 0);
  assert.match(forbidden.stderr, /device/);
});
