// Workers of two machines, each with a daemon of its own, that share a queue in PostgreSQL and a cache in a registry.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job, RecordedRun } from "../../engine/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, type Outcome, repository, runDagger, startBench } from "./dagger.ts";

let bench: Bench;
let postgres: TestPostgres;
let registry: TestRegistry;
let other: TestDaemon;
let machines: readonly Machine[];
const workers = new Set<ChildProcess>();

/** A workspace as a machine has it. */
interface Machine {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
}

const config = `package ci

word: *"none" | string
nap:  *"0" | string
_base: {do: "fetch-container", ref: "docker.io/library/busybox:latest"}
made: #up: [_base, {do: "exec", args: ["sh", "-c", "echo made \\(word) > /made"]}]
told: {string, #up: [
	_base,
	{do: "exec", args: ["sh", "-c", "cat /in/made > /told; sleep \\(nap)"], mount: "/in": {from: made}},
	{do: "export", source: "/told"},
]}
`;

before(async () => {
  [bench, postgres, registry] = await Promise.all([startBench(), startPostgres(), startRegistry()]);
  const insecure = `[registry."${registry.host}"]\n  http = true\n`;
  other = await startBuildkitd({ config: insecure });
  const store = await postgres.database();
  machines = await Promise.all(
    [bench.daemon.address, other.address].map(async (address, at) => {
      const dir = join(bench.dir, `machine${at}`);
      mkdirSync(join(dir, "ci"), { recursive: true });
      writeFileSync(join(dir, "ci/ci.cue"), config);
      const env = {
        PATH: process.env["PATH"] ?? "",
        HOME: bench.dir,
        DAGGER_DATA_DIR: join(bench.dir, "data"),
        DAGGER_STORE: store,
        BUILDKIT_HOST: address,
        NO_COLOR: "1",
      };
      const machine = { dir, env };
      for (const args of [
        ["init", "."],
        ["stack", "new", "web", "--dir", "ci", "--env", "dev", "--env", "prod"],
      ])
        await ok(machine, ...args);
      return machine;
    }),
  );
});
after(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  await other?.stop();
  await registry?.stop();
  await postgres?.stop();
  await bench?.end();
});

const on = (at: number): Machine => {
  const machine = machines[at];
  assert.ok(machine !== undefined);
  return machine;
};

const dagger = ({ dir, env }: Machine, ...args: readonly string[]): Promise<Outcome> => runDagger(args, dir, env);

async function ok(machine: Machine, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await dagger(machine, ...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

const json = async <T>(machine: Machine, ...args: readonly string[]): Promise<T> =>
  JSON.parse(await ok(machine, ...args, "--output", "json")) as T;

async function add(machine: Machine, ...args: readonly string[]): Promise<string> {
  return (await ok(machine, "queue", "add", "-s", "web", ...args)).trim();
}

const jobs = (): Promise<Job[]> => json(on(0), "queue", "list");

async function jobOf(id: string): Promise<Job> {
  const found = (await jobs()).find((one) => one.id === id);
  assert.ok(found !== undefined);
  return found;
}

interface Working {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text(): string;
}

function startWorker({ dir, env }: Machine, ...args: readonly string[]): Working {
  const child = spawn(join(repository, "bin/dagger"), ["worker", "--progress", "plain", ...args], { cwd: dir, env, stdio: "pipe" });
  workers.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (text += data.toString()));
  const ended = once(child, "close").then(([code]) => {
    workers.delete(child);
    return code as number | null;
  });
  return { child, ended, text: () => text };
}

/** Waits for what is about to be; a minute at most. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); await sleep(100)) assert.ok(Date.now() < end, what);
}

test("a worker takes the jobs that it has the tags for, and who waits is told as of a run", async () => {
  const impossible = await add(on(0), "-e", "dev", "--tags", "quantum");
  const plain = await add(on(0), "-e", "dev", "-i", "word=plain");
  const tagged = await add(on(0), "-e", "prod", "-i", "word=tagged", "--tags", "osx,gpu");
  const first = startWorker(on(0), "--until-empty");
  assert.equal(await first.ended, 0, first.text());
  assert.equal((await jobOf(plain)).state, "done");
  assert.equal((await jobOf(tagged)).state, "queued");
  const second = startWorker(on(1), "--until-empty", "--tags", "gpu,osx,fast");
  assert.equal(await second.ended, 0, second.text());
  assert.match(second.text(), new RegExp(`Job ${tagged} \\(web/prod\\) is done`));
  const waited = await dagger(on(0), "queue", "wait", tagged);
  assert.equal(waited.code, 0, waited.stderr);
  assert.equal(waited.stdout.trim(), (await jobOf(tagged)).run);
  assert.equal((await json<{ value: string }>(on(1), "output", "get", "told", "-s", "web", "-e", "prod")).value.trim(), "made tagged");
  assert.equal((await jobOf(impossible)).state, "queued");
  await ok(on(0), "queue", "cancel", impossible);
  assert.equal((await jobOf(impossible)).state, "cancelled");
});

test("a job that fails is told to who waits for it; the key of a job stands for one", async () => {
  const worker = startWorker(on(0));
  const wish = ["queue", "add", "-s", "web", "-e", "dev", "-i", "nap=never", "--key", "once"];
  const failed = await dagger(on(0), ...wish, "--wait");
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stderr, /failed: .*exit code/);
  const again = await dagger(on(0), ...wish);
  assert.equal(again.code, 0);
  assert.match(again.stderr, /The job was there already/);
  worker.child.kill("SIGINT");
  assert.equal(await worker.ended, 130, worker.text());
});

test("the job of a worker that is killed is done by another, and has one result", async () => {
  const id = await add(on(0), "-e", "dev", "-i", "word=taken", "-i", "nap=15");
  const killed = startWorker(on(0));
  await until("the job runs", async () => /told|sleep/.test(killed.text()) && (await jobOf(id)).run !== undefined);
  const { run: lost = "" } = await jobOf(id);
  killed.child.kill("SIGKILL");
  await killed.ended;
  const heir = startWorker(on(1), "--until-empty");
  assert.equal(await heir.ended, 0, heir.text());
  const done = await jobOf(id);
  assert.deepEqual([done.state, done.attempts], ["done", 2]);
  const runs = await json<RecordedRun[]>(on(0), "history", "list", "-s", "web", "-e", "dev", "--limit", "2");
  assert.deepEqual(
    runs.map((run) => [run.id, run.state]),
    [
      [done.run, "done"],
      [lost, "interrupted"],
    ],
  );
  assert.equal((await json<{ value: string }>(on(0), "output", "get", "told", "-s", "web", "-e", "dev")).value.trim(), "made taken");
});

test("a worker that is stopped gives its job back, and a job is cancelled where it runs", async () => {
  const id = await add(on(0), "-e", "dev", "-i", "word=back", "-i", "nap=30");
  const stopped = startWorker(on(0));
  await until("the job runs", async () => (await jobOf(id)).run !== undefined);
  stopped.child.kill("SIGINT");
  assert.equal(await stopped.ended, 130, stopped.text());
  const waiting = await jobOf(id);
  assert.deepEqual([waiting.state, waiting.attempts], ["queued", 0]);
  const next = startWorker(on(1));
  await until("another runs it", async () => (await jobOf(id)).state === "running" && (await jobOf(id)).run !== waiting.run);
  await ok(on(0), "queue", "cancel", id);
  await until("it is over", async () => (await jobOf(id)).state === "cancelled");
  next.child.kill("SIGINT");
  await next.ended;
});

test("workers of two daemons share a cache in a registry", async () => {
  const ref = `${registry.host}/cache/ci`;
  const insecure = `[registry."${registry.host}"]\n  http = true\n`;
  const third = await startBuildkitd({ config: insecure });
  try {
    const build = ["-e", "dev", "-i", "word=shared", "-t", "made"];
    await add(on(1), ...build);
    const first = startWorker(on(1), "--until-empty", "--cache-to", `type=registry,ref=${ref},mode=max`);
    assert.equal(await first.ended, 0, first.text());
    const id = await add(on(1), ...build);
    const machine = { ...on(1), env: { ...on(1).env, BUILDKIT_HOST: third.address } };
    const second = startWorker(machine, "--until-empty", "--cache-from", `type=registry,ref=${ref}`);
    assert.equal(await second.ended, 0, second.text());
    const { run = "" } = await jobOf(id);
    const { run: shown } = await json<{ run: { summary: { steps: { run: number; cached: number } } } }>(on(1), "history", "show", run);
    assert.equal(shown.summary.steps.run, 0, second.text());
  } finally {
    await third.stop();
  }
});

test("mistakes are told", async () => {
  for (const [args, says] of [
    [["queue", "add", "-s", "web", "-e", "nowhere"], /nowhere/],
    [["queue", "add", "-s", "web", "-e", "dev", "--tags", "a b"], /"a b" is no tag/],
    [["queue", "wait", "zzz"], /There is no job "zzz"/],
    [["queue", "list", "--state", "lost"], /no state of a job/],
    [["worker", "--jobs", "0"], /would do nothing/],
    [["worker", "--tags", "-"], /"-" is no tag/],
  ] as const) {
    const { code, stderr } = await dagger(on(0), ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  }
});
