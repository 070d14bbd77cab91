// What is written for Docker Compose and Kubernetes is taken by them: Compose runs it with images that dagger has pushed, and an API server's
// validation finds nothing wrong.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { startDockerd, type TestDocker } from "../support/dockerd.ts";
import { startNetwork } from "../support/network.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { checkKubernetes, compose } from "../support/targets.ts";
import { parseTxtar } from "../support/txtar.ts";
import { type Bench, type Outcome, repository, startBench } from "./dagger.ts";

let bench: Bench;
let docker: TestDocker;
let registry: TestRegistry;

before(async () => {
  bench = await startBench();
  docker = await startDockerd();
  registry = await startRegistry();
});
after(async () => {
  await docker?.stop();
  await registry?.stop();
  await bench?.end();
});

/** A task with files in its image, one that takes what it made, a daemon that gets ready late, and one that fails. */
const config = (host: string): string => `package etl

import (
	"cuellb.dev/op"
	"cuellb.dev/task"
)

files: #up: [op.#Local & {dir: "etl"}]
bronze: task.#Task & {
	ref: "busybox:latest"
	source: files
	script: "mkdir /out/table; sort readings.csv > /out/table/rows.csv; wc -l < readings.csv > /out/count"
	outputs: {table: {}, count: {}}
}
silver: task.#Task & {
	ref: "busybox:latest"
	script: "{ cat /in/readings/rows.csv /in/count/count /run/secrets/token; echo \\" $WORD $HIDDEN $(ls /in/readings)\\"; } > /out/sorted"
	upstream: readings: from: bronze.outputs.table
	upstream: count: from: bronze.outputs.count
	after: [db]
	secrets: token: secret: "my-token"
	env: {WORD: "$5 $(x)", HIDDEN: secret: "other"}
	outputs: sorted: {}
}
db: task.#Daemon & {name: "db", command: ["sh", "-c", "sleep 1; touch /ready; exec sleep 1000"], ready: command: ["test", "-e", "/ready"]}
failing: task.#Task & {ref: "busybox:latest", trigger: "manual", script: "true", outputs: never: {}}
stack: task.#Target & {
	kind: "compose"
	name: "etl"
	registry: "${host}/etl"
	helper: "busybox:latest"
	components: {"bronze": from: bronze, "silver": from: silver, "failing": from: failing, "db": {from: db, image: "busybox:latest"}}
}
`;

function write(name: string, files: Readonly<Record<string, string>>): string {
  const dir = join(bench.dir, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function succeeds({ code, stdout, stderr }: Outcome): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Of a container that ends, once it has. */
async function exitCode(run: (...args: string[]) => Promise<Outcome>, service: string): Promise<number> {
  const until = Date.now() + 120_000;
  for (;;) {
    const { stdout } = await run("--profile", "manual", "ps", "-a", service, "--format", "{{.State}} {{.ExitCode}}");
    const ended = /^exited (\d+)$/m.exec(stdout)?.[1];
    if (ended !== undefined) return Number(ended);
    if (Date.now() > until) throw new Error(`${service} goes on: ${stdout}`);
    await sleep(100);
  }
}

test("Compose runs the tasks in their order with images that dagger has pushed, and daemons until they are ready", async () => {
  const dir = write("etl", { "up.cue": config(registry.host), "etl/readings.csv": "b,2\na,1\n" });
  succeeds(await bench.dagger(["up", dir, "-t", "stack.images", "--progress", "plain"]));
  const file = join(dir, "compose.yaml");
  succeeds(await bench.dagger(["target", "render", "stack", dir, "-o", file]));
  const { services } = parse(readFileSync(file, "utf8")) as { services: Record<string, { image: string }> };
  assert.equal(services["bronze"]?.image, `${registry.host}/etl/bronze:latest`);
  // The daemon of the test has no bridge.
  const networks = Object.fromEntries(Object.keys(services).map((name) => [name, { network_mode: "none" }]));
  writeFileSync(join(dir, "networks.json"), JSON.stringify({ services: networks }));
  const env = { DOCKER_HOST: docker.host, MY_TOKEN: "s3cret", OTHER: "hidden" };
  const run = (...args: string[]): Promise<Outcome> => compose([file, join(dir, "networks.json")], args, env);
  try {
    // The second time everything is there already.
    for (const _ of [1, 2]) {
      succeeds(await run("up", "-d"));
      assert.equal(await exitCode(run, "silver-outputs"), 0);
      const given = await run("run", "--rm", "-T", "--no-deps", "--entrypoint", "cat /given/silver-sorted/sorted", "silver-outputs");
      assert.equal(succeeds(given), "a,1\nb,2\n2\ns3cret $5 $(x) hidden rows.csv\n");
    }
    const listed = succeeds(await run("ps", "db", "--format", "{{.Health}}"));
    assert.equal(listed.trim(), "healthy");
    assert.equal((await run("ps", "-aq", "failing")).stdout, "");
    // Its script ends well, and leaves nothing.
    await run("--profile", "manual", "up", "-d", "failing-outputs");
    assert.equal(await exitCode(run, "failing-outputs"), 1);
    assert.match((await run("logs", "failing-outputs")).stdout, /failing left nothing at \/out\/never/);
  } finally {
    await run("--profile", "manual", "down", "--volumes", "--timeout", "1");
  }
});

/** A daemon in a container, at another port of the machine, and a task that asks it by its name. */
const shop = `package shop

import (
	"cuellb.dev/op"
	"cuellb.dev/task"
)

web: task.#Daemon & {
	name: "web"
	image: [op.#FetchContainer & {ref: "busybox:latest"}]
	command: ["sh", "-c", "mkdir /www; echo start >> /kept/starts; cp /kept/starts /www; exec httpd -f -p 80 -h /www"]
	container: {ports: ["127.0.0.1:8080:80"], volumes: "/kept": "web-data"}
	ready: http: "http://127.0.0.1:8080/starts"
}
asked: task.#Task & {ref: "busybox:latest", script: "wget -q -O /out/page http://web/starts", after: [web], outputs: page: {}}
stack: task.#Target & {kind: "compose", name: "shop", helper: "busybox:latest", components: {"web": from: web, "asked": from: asked}}
`;

test("Compose runs a daemon of a container at the ports of that, with volumes that outlive it", async () => {
  const network = await startNetwork();
  const connected = await startDockerd(network);
  const dir = write("shop", { "up.cue": shop });
  const file = join(dir, "compose.yaml");
  const run = (...args: string[]): Promise<Outcome> => compose([file], args, { DOCKER_HOST: connected.host });
  try {
    succeeds(await bench.dagger(["target", "render", "stack", dir, "-o", file]));
    for (const starts of ["start\n", "start\nstart\n"]) {
      succeeds(await run("up", "-d"));
      assert.equal(await exitCode(run, "asked-outputs"), 0);
      const given = await run("run", "--rm", "-T", "--no-deps", "--entrypoint", "cat /given/asked-page/page", "asked-outputs");
      assert.equal(succeeds(given), starts);
      assert.equal(await network.get("http://127.0.0.1:8080/starts"), starts);
      assert.equal(succeeds(await run("ps", "web", "--format", "{{.Health}}")).trim(), "healthy");
      succeeds(await run("down", "--timeout", "1"));
    }
  } finally {
    await run("down", "--volumes", "--timeout", "1");
    await connected.stop();
    await network.stop();
  }
});

test("the validation of a Kubernetes API server takes what is written, and Compose reads it", async () => {
  const golden = (script: string, name: string): string =>
    parseTxtar(readFileSync(join(repository, `test/script/${script}.txtar`), "utf8")).files.get(name) ?? "";
  assert.equal(succeeds(await checkKubernetes(golden("target-kubernetes", "kubernetes.yaml"))), "8 objects are valid\n");
  assert.equal(succeeds(await checkKubernetes(golden("target-containers-kubernetes", "kubernetes.yaml"))), "6 objects are valid\n");
  const boxed = write("boxed", { "compose.yaml": golden("target-containers", "compose.yaml") });
  succeeds(await compose([join(boxed, "compose.yaml")], ["config", "--quiet"], { DB: "x" }));
  const dir = write("golden", { "compose.yaml": golden("target", "compose.yaml").replaceAll("<time>", "10s"), "token.txt": "" });
  succeeds(await compose([join(dir, "compose.yaml")], ["config", "--quiet"], { DB_PASSWORD: "x" }));
});

test("the example of tasks is written for both", async () => {
  const dir = join(repository, "examples/devster");
  const file = join(bench.dir, "devster.yaml");
  succeeds(await bench.dagger(["target", "render", "stack", dir, "-o", file]));
  succeeds(await compose([file], ["config", "--quiet"]));
  const { stdout, stderr, code } = await bench.dagger(["target", "render", "kubernetes", dir]);
  assert.equal(code, 0, stderr);
  assert.equal(succeeds(await checkKubernetes(stdout)), "8 objects are valid\n");
  assert.match(stderr, /test is a test, and is left out/);
});

test("the validation is a real one", async () => {
  const refused = await checkKubernetes(
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a_b}\nspec: {template: {spec: {containers: []}}}\n",
  );
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /metadata.name: Invalid value: "a_b"/);
  assert.match(refused.stdout, /restartPolicy: Required value/);
  const unknown = await checkKubernetes("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {porst: []}\n");
  assert.match(unknown.stdout, /unknown field "spec.porst"/);
});
