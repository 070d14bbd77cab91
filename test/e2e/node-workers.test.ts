// Nodes that are left to workers: two machines with a daemon of their own each, which share a queue in PostgreSQL; sources are on servers.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "../../engine/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { type Outcome, repository, runDagger } from "./dagger.ts";
import { dataWorld } from "./data.ts";

/** Milliseconds until something that does not come has not come. */
const late = 120_000;

const world = dataWorld();
let postgres: TestPostgres | undefined;
let other: TestDaemon | undefined;
let gate: Server | undefined;
/** The gate lets through. */
let open = true;
let asked = 0;
const children = new Set<ChildProcess>();

/** Where a machine's commands run. */
interface Machine {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
}
let asking: Machine;
let working: Machine;

after(async () => {
  for (const child of children) child.kill("SIGKILL");
  gate?.closeAllConnections();
  gate?.close();
  await other?.stop();
  await postgres?.stop();
});

const on = ({ dir, env }: Machine, ...args: readonly string[]): Promise<Outcome> => runDagger(args, dir, env);

async function ok(machine: Machine, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await on(machine, ...args);
  assert.equal(code, 0, `dagger ${args.join(" ")}:\n${stderr}`);
  return stdout;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text(): string;
}

function start(machine: Machine, args: readonly string[], clock?: string): Running {
  return run(join(repository, "bin/dagger"), args, machine, clock);
}

/** `clock`: how far it goes wrong, by less than S3 would refuse. The program faketime itself would stand between the process and its signals. */
function run(program: string, args: readonly string[], { dir, env }: Machine, clock?: string): Running {
  const skewed = { LD_PRELOAD: "/usr/$LIB/faketime/libfaketime.so.1", FAKETIME: clock, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
  const around = { ...env, ...(clock === undefined ? {} : skewed) };
  const child = spawn(program, args, { cwd: dir, env: around, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (text += data.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), late);
  const ended = once(child, "close").then(([code]) => {
    clearTimeout(timer);
    children.delete(child);
    return code as number | null;
  });
  return { child, ended, text: () => text };
}

function descendants(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + late; !(await holds()); await sleep(100)) assert.ok(Date.now() < end, what);
}

const jobs = async (): Promise<readonly Job[]> => JSON.parse(await ok(asking, "queue", "list", "--output", "json")) as readonly Job[];

const made = (): readonly string[] => readdirSync(world.bucket).filter((name) => name.startsWith("made-"));

let node: readonly string[] = [];

test("two machines have a workspace each, and share a store", async () => {
  await world.up.git.commit("app", { "main.c": "one" });
  [postgres, other] = await Promise.all([startPostgres(), startBuildkitd()]);
  gate = createServer((_, response) => {
    asked++;
    if (open) response.end("through");
  });
  await new Promise<void>((resolve) => gate?.listen(0, "127.0.0.1", resolve));
  const env = { ...world.environment(), DAGGER_STORE: await postgres.database() };
  asking = { dir: world.dir, env };
  working = { dir: join(world.up.bench.dir, "worker"), env: { ...env, BUILDKIT_HOST: other.address } };
  mkdirSync(working.dir);
  const keys = ["--secret", "accessKey=env:S3_ID", "--secret", "secretKey=env:S3_KEY"];
  for (const machine of [asking, working]) {
    await ok(machine, "init");
    await ok(machine, "connector", "add", "s3", "store", `endpoint=${world.s3.url}`, ...keys);
  }
  await ok(asking, "source", "add", "app", `${world.up.git.url}/app`, "-k", "git");
  await ok(asking, "source", "add", "downloads", "s3://downloads");
  const { port } = gate.address() as AddressInfo;
  const script = `id=$(cat /proc/sys/kernel/random/uuid); wget -q -O /gate http://127.0.0.1:${port}/; cat \${app:ROOT}/main.c > \${downloads:ROOT}/made-$id`;
  node = ["node", "run", "--workers", "--labels=osx,gpu", "--input", "app", "--output", "downloads", "--", "sh", "-c", script];
});

test("a node is computed by the worker that has its labels, which needs no files of who asks", async () => {
  const asker = start(asking, node);
  await until("the job waits", () => /waits for a worker with the tags gpu, osx/.test(asker.text()));
  const stranger = start(working, ["worker", "--tags", "gpu", "--until-empty"]);
  assert.equal(await stranger.ended, 0, stranger.text());
  assert.equal((await jobs())[0]?.state, "queued");
  const worker = start(working, ["worker", "--tags", "gpu,osx,fast", "--until-empty", "--progress", "plain"]);
  assert.equal(await worker.ended, 0, worker.text());
  assert.equal(await asker.ended, 0, asker.text());
  const [file = ""] = made();
  assert.equal(readFileSync(join(world.bucket, file), "utf8"), "one");
  const id = /^[0-9a-f]{8}$/m.exec(asker.text())?.[0] ?? "";
  assert.match(await ok(asking, "node", "log", id), /success +app:[0-9a-f]{8} +downloads:[0-9a-f]{8}/);
  assert.match(await ok(asking, "queue", "list"), new RegExp(`done +node ${id} +gpu,osx`));
  const version = (await ok(asking, "source", "log", "downloads")).split("\n")[1]?.split(/ +/)[0] ?? "";
  assert.match(await ok(asking, "inspect", `downloads:${version}`), /"source": "app"/);
  const again = await on(asking, ...node);
  assert.match(again.stderr, /Nothing has changed/);
});

test("two who ask, and two workers with clocks that differ by ten minutes, come to one computation and one result", async () => {
  await world.up.git.commit("app", { "main.c": "two" });
  const before = made().length;
  const workers = [
    start(working, ["worker", "--tags", "osx,gpu"]),
    start(
      { ...working, env: { ...working.env, BUILDKIT_HOST: asking.env["BUILDKIT_HOST"] ?? "" } },
      ["worker", "--tags", "osx,gpu"],
      "+10m",
    ),
  ];
  const askers = [start(asking, node), start(asking, node)];
  for (const asker of askers) assert.equal(await asker.ended, 0, [asker, ...workers].map((one) => one.text()).join("\n"));
  for (const worker of workers) {
    worker.child.kill("SIGINT");
    await worker.ended;
  }
  assert.equal(made().length, before + 1);
  assert.equal((await jobs()).filter(({ state }) => state === "done").length, 2);
});

test("what a killed worker had is done by another, once, whatever its clock says", async () => {
  await world.up.git.commit("app", { "main.c": "three" });
  const before = made().length;
  open = false;
  asked = 0;
  const asker = start(asking, node);
  const killed = start(working, ["worker", "--tags", "osx,gpu"]);
  await until("the command runs", () => asked > 0);
  killed.child.kill("SIGKILL");
  await killed.ended;
  open = true;
  const heir = start(working, ["worker", "--tags", "osx,gpu", "--until-empty"], "-10m");
  assert.equal(await asker.ended, 0, asker.text());
  assert.equal(await heir.ended, 0, heir.text());
  assert.equal(made().length, before + 1);
  const last = (await jobs())[0];
  assert.deepEqual([last?.state, last?.attempts], ["done", 2]);
});

test("a worker that was away for so long that another one did its job records nothing when it is back", async () => {
  await world.up.git.commit("app", { "main.c": "four" });
  const before = made().length;
  const asker = start(asking, node);
  await until("the job waits", () => /waits for a worker/.test(asker.text()));
  // Another process space stands for another machine: nobody can see from outside whether the process lives.
  const command = [
    process.execPath,
    "--import",
    import.meta.resolve("tsx"),
    join(repository, "test/support/stopping-worker-child.ts"),
    "osx",
    "gpu",
  ];
  const late = run("unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", `${command.join(" ")}; true`], working);
  await until("the job is done, and not recorded", () => late.text().includes("stops"));
  const heir = start(asking, ["worker", "--tags", "osx,gpu"]);
  assert.equal(await asker.ended, 0, [asker, late, heir].map((one) => one.text()).join("\n"));
  const id = /^[0-9a-f]{8}$/m.exec(asker.text())?.[0] ?? "";
  const recorded = await ok(asking, "node", "log", id);
  const versions = await ok(asking, "source", "log", "downloads");
  for (const pid of descendants(late.child.pid ?? 0)) process.kill(pid, "SIGCONT");
  await until("it is back", () => late.text().includes("returned"));
  assert.match(late.text(), /returned .*job-taken-over/);
  assert.equal(await ok(asking, "node", "log", id), recorded);
  assert.equal(await ok(asking, "source", "log", "downloads"), versions);
  assert.equal(made().length, before + 1);
  const last = (await jobs())[0];
  assert.deepEqual([last?.state, last?.attempts], ["done", 2]);
  heir.child.kill("SIGINT");
  late.child.kill("SIGKILL");
  await Promise.all([heir.ended, late.ended]);
});

test("a node that fails on a worker is told to who asked, and can be asked for again", async () => {
  const failing = ["node", "run", "--workers", "--input", "app", "--output", "downloads", "--", "sh", "-c", "exit 7"];
  for (let round = 0; round < 2; round++) {
    const asker = start(asking, failing);
    const worker = start(working, ["worker", "--tags", "none"]);
    assert.equal(await asker.ended, 1, asker.text());
    assert.match(asker.text(), /error\[node-job-failed\]: The node [0-9a-f]{8} was not computed: its job \S+ failed/);
    worker.child.kill("SIGINT");
    await worker.ended;
  }
  const bad = await on(asking, "node", "run", "--workers", "--labels", "a b", "--input", "app", "--output", "downloads", "--", "ls");
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /"a b" is no tag/);
});
