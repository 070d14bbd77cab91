// Runs the example of the package stage for real: in order, on after a failure, and down again.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { debianRoot } from "../support/images.ts";
import { type Bench, type Outcome, repository, startBench } from "./dagger.ts";

let bench: Bench;
let dir: string;

before(async () => {
  bench = await startBench();
  const imported = await bench.dagger(["image", "import", "docker.io/library/debian:bookworm-slim", await debianRoot()]);
  assert.equal(imported.code, 0, imported.stderr);
  dir = join(bench.dir, "stages");
});
after(() => bench?.end());

beforeEach(() => {
  rmSync(dir, { recursive: true, force: true });
  cpSync(join(repository, "examples/stages"), dir, { recursive: true });
});

function stage(command: string, ...more: readonly string[]): Promise<Outcome> {
  const progress = ["up", "down", "plan"].includes(command) ? ["--progress", "plain"] : [];
  return bench.dagger(["stage", command, dir, ...more, ...progress]);
}

/** The rows of a table: states by stage, in its order. */
function states({ stdout }: Outcome): [stage: string, state: string][] {
  const rows = stdout.trim().split("\n").slice(1);
  return rows.map((row) => row.split(/\s+/).slice(0, 2) as [string, string]);
}

function output(name: string): unknown {
  return JSON.parse(readFileSync(join(dir, "output", name, "output.json"), "utf8"));
}

function change(file: string, from: string, to: string): string {
  const path = join(dir, file);
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(path, text.replace(from, to));
  return text;
}

const all = (state: string): [string, string][] => ["state_storage", "parallel_a", "parallel_b", "final"].map((name) => [name, state]);

test("the example goes up in order with its config of Jsonnet, and a second time nothing runs", async () => {
  const planned = await stage("plan");
  assert.deepEqual(states(planned), all("due"), planned.stderr);
  const first = await stage("up");
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(states(first), all("done"));
  assert.deepEqual(output("parallel_a"), {
    network: "shop-eu-north-1-net",
    cidr: "10.0.0.0/16",
    state: "shop-eu-north-1-state/network",
  });
  assert.deepEqual(output("final"), {
    url: "https://shop-eu-north-1.example.com",
    report: "3 machines in shop-eu-north-1-net (10.0.0.0/16)",
  });
  assert.equal((first.stderr.match(/machine-\d runs shop-eu-north-1/g) ?? []).length, 3);
  assert.deepEqual(readdirSync(join(dir, "genfiles/parallel_b")).sort(), ["ctl", "machines"], "what .gomplateignore names is not stamped");
  assert.deepEqual(states(await stage("status")), all("up"));

  const second = await stage("up");
  assert.deepEqual(states(second), all("current"), second.stderr);
  assert.doesNotMatch(second.stderr, /machine-1 runs/);

  change("config.jsonnet", "parallel_b: 3", "parallel_b: 4");
  const larger = await stage("up");
  assert.deepEqual(states(larger), all("done"), larger.stderr);
  assert.match(larger.stderr, /machine-4 runs shop-eu-north-1/);
});

test("a library is a component like any other: dagger up is one pass, and its results are values", async () => {
  const { code, stdout, stderr } = await bench.dagger(["up", dir, "--output", "json"]);
  assert.equal(code, 0, stderr);
  const { computed, passes } = JSON.parse(stdout) as { computed: Record<string, unknown>; passes: unknown[] };
  assert.equal(passes.length, 1);
  assert.deepEqual(computed["library.results.final"], { state: "done", why: "it was never up" });
});

test("a stage that fails midway keeps what it and its neighbour left, and the next run goes on there", async () => {
  const ctl = change(
    "library/parallel_b/ctl",
    "n=0\n",
    'mkdir -p "$mine"; echo half >"$mine/partial"; echo "quota exceeded" >&2; exit 7\n',
  );
  const failed = await stage("up");
  assert.equal(failed.code, 1);
  assert.deepEqual(states(failed), [
    ["state_storage", "done"],
    ["parallel_a", "done"],
    ["parallel_b", "failed"],
    ["final", "skipped"],
  ]);
  assert.match(failed.stderr, /Stage parallel_b failed: ctl up ended with exit code 7\n {2}quota exceeded\n/);
  assert.match(failed.stderr, /Stage final did not run: parallel_b failed/);
  assert.equal(readFileSync(join(dir, "output/parallel_b/partial"), "utf8"), "half\n");
  assert.ok(existsSync(join(dir, "output/parallel_a/output.json")));
  assert.ok(!existsSync(join(dir, "genfiles/final")), "what comes after is not even stamped");

  writeFileSync(join(dir, "library/parallel_b/ctl"), ctl);
  const resumed = await stage("up");
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(states(resumed), [
    ["state_storage", "current"],
    ["parallel_a", "current"],
    ["parallel_b", "done"],
    ["final", "done"],
  ]);
});

test("stages go down in reverse, only those that were stamped, and what they gave is gone", async () => {
  assert.equal((await stage("up", "parallel_a")).code, 0);
  const down = await stage("down");
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual(
    states(down)
      .map(([name]) => name)
      .sort(),
    ["final", "parallel_a", "parallel_b", "state_storage"],
  );
  assert.match(down.stdout, /final +current +it was never stamped/);
  assert.match(down.stderr, /parallel_b skipping, not stamped\./);
  assert.match(down.stdout, /parallel_a +done/);
  assert.deepEqual(readdirSync(join(dir, "output")), [".stages"]);
  assert.deepEqual(states(await stage("status", "state_storage", "parallel_a")), [
    ["state_storage", "down"],
    ["parallel_a", "down"],
  ]);
});

test("stages that wait for none of each other run side by side", async () => {
  const meet = (other: string): string =>
    `#!/bin/sh\ntouch "/meet/$STAGE_NAME"\nn=0\nuntil [ -e /meet/${other} ]; do n=$((n + 1)); [ "$n" -lt 1200 ] || exit 1; sleep 0.1; done\n`;
  writeFileSync(join(dir, "library/parallel_a/ctl"), meet("parallel_b"));
  writeFileSync(join(dir, "library/parallel_b/ctl"), meet("parallel_a"));
  writeFileSync(join(dir, "meet.cue"), 'package stages\n\nlibrary: mount: "/meet": {cache: "stages-meet"}\n');
  const { code, stderr } = await stage("up", "parallel_a", "parallel_b");
  assert.equal(code, 0, stderr);
});

const onHost = ["-i", "library.executor=host", "--allow-host"] as const;

test("on this machine the example goes up with -j as in containers, on after a failure, and down", async () => {
  const refused = await stage("up", "-i", "library.executor=host");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /error\[host-not-allowed\]/);
  assert.ok(!existsSync(join(dir, "output")));

  const ctl = change(
    "library/parallel_b/ctl",
    "n=0\n",
    'mkdir -p "$mine"; echo half >"$mine/partial"; echo "quota exceeded" >&2; exit 7\n',
  );
  const failed = await stage("up", ...onHost, "-j", "2");
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stderr, /Stage parallel_b failed: ctl up ended with exit code 7\n {2}quota exceeded\n/);
  assert.deepEqual(states(failed)[3], ["final", "skipped"]);
  assert.equal(readFileSync(join(dir, "output/parallel_b/partial"), "utf8"), "half\n");

  writeFileSync(join(dir, "library/parallel_b/ctl"), ctl);
  const resumed = await stage("up", ...onHost, "-j", "1");
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(
    states(resumed).map(([, state]) => state),
    ["current", "current", "done", "done"],
  );
  assert.deepEqual(output("final"), {
    url: "https://shop-eu-north-1.example.com",
    report: "3 machines in shop-eu-north-1-net (10.0.0.0/16)",
  });
  assert.deepEqual(states(await stage("up", ...onHost)), all("current"));
  const down = await stage("down", ...onHost);
  assert.deepEqual(states(down), all("done").reverse(), down.stderr);
  assert.deepEqual(readdirSync(join(dir, "output")), [".stages"]);
});

test("on this machine, too, stages run side by side, start where they are stamped, and are ended in time", async () => {
  const meeting = join(dir, "meeting");
  const meet = (other: string): string =>
    `#!/bin/sh\ntouch "${meeting}/$STAGE_NAME"\npwd >"$OUTPUT_DIR/$STAGE_NAME"\nn=0\nuntil [ -e "${meeting}/${other}" ]; do n=$((n + 1)); [ "$n" -lt 1200 ] || exit 1; sleep 0.1; done\n`;
  mkdirSync(meeting);
  writeFileSync(join(dir, "library/parallel_a/ctl"), meet("parallel_b"));
  writeFileSync(join(dir, "library/parallel_b/ctl"), meet("parallel_a"));
  writeFileSync(join(dir, "library/final/ctl"), "#!/bin/sh\nsleep 1000 & wait\n");
  writeFileSync(join(dir, "library/final/report.txt"), "");
  writeFileSync(join(dir, "late.cue"), 'package stages\n\nlibrary: stages: final: timeout: "1s"\n');
  const ran = await stage("up", ...onHost, "-j", "2");
  assert.deepEqual(
    states(ran).map(([, state]) => state),
    ["done", "done", "done", "failed"],
    ran.stderr,
  );
  assert.match(ran.stdout, /final +failed +ctl up was ended after 1s/);
  assert.equal(readFileSync(join(dir, "output/parallel_a"), "utf8"), `${realpathSync(dir)}/genfiles/parallel_a\n`);
});

test("the config of the example is what an import of its library gives", async () => {
  const { code, stdout, stderr } = await bench.dagger(["stage", "import", join(dir, "library"), "--into", dir]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, readFileSync(join(dir, "stages.cue"), "utf8"));
});

test("a config of Jsonnet that is wrong is told with its file and line, and no stage runs", async () => {
  change("config.jsonnet", "region: 'eu-north-1',", "");
  const { code, stderr } = await stage("up");
  assert.equal(code, 1);
  assert.match(stderr, /RUNTIME ERROR: the region is missing/);
  assert.match(stderr, /config\.libsonnet:3:/);
  assert.ok(!existsSync(join(dir, "output")));
});
