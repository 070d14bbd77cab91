// Runs that are killed at fifty random moments, in each of both stores: nothing that was begun is lost, nothing is damaged or left held, no secret
// lies about in clear, and the next run is right.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseSync } from "@photostructure/sqlite";
import type { RecordedRun } from "../../engine/index.ts";
import type { StoreLocation } from "../../engine/store/index.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { openTestStore } from "../support/run-store.ts";
import { formsOf, searchStore, searchTree } from "../support/sentinels.ts";
import { type Bench, repository, runDagger, startBench } from "./dagger.ts";

const token = "tok/en+of?the&killed\"run'8264";
const forms = formsOf(token);
const environments = Array.from({ length: 10 }, (_, at) => `e${at}`);
const rounds = 5;

let bench: Bench;
let postgres: TestPostgres;

before(async () => {
  [bench, postgres] = await Promise.all([startBench(), startPostgres()]);
  for (const name of ["ci", "tmp", "kept"]) mkdirSync(join(bench.dir, name));
  writeFileSync(
    join(bench.dir, "ci/ci.cue"),
    `package ci

word: string
_image: {do: "fetch-container", ref: "docker.io/library/busybox:latest"}
_lines: "for i in $(seq 150); do echo line $i of $TOKEN; done; [ \\"$TOKEN\\" != '' ]"
first: {string, #up: [
	_image,
	{do: "exec", args: ["sh", "-c", "\\(_lines) && printf 'first \\(word)' > /v"], env: TOKEN: {secret: "token"}, always: true},
	{do: "export", source: "/v"},
]}
second: {string, #up: [
	_image,
	{do: "copy", from: first, src: "/v", dest: "/before"},
	{do: "exec", args: ["sh", "-c", "\\(_lines) && sed s/first/second/ /before > /v"], env: TOKEN: {secret: "token"}, always: true},
	{do: "export", source: "/v"},
]}
saved: #up: [{do: "copy", from: second, src: "/v", dest: "/\\(word)"}, {do: "save-dir", dest: "out/\\(word)"}]
`,
  );
  writeFileSync(join(bench.dir, "kept/token"), token);
});
after(async () => {
  await postgres?.stop();
  await bench?.end();
});

/** Where runs of one store are made. */
interface Place {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly location: StoreLocation;
}

async function ok({ dir, env }: Place, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runDagger(args, dir, env);
  assert.equal(code, 0, stderr);
  return stdout;
}

function makePlace(name: string, store?: string): Place {
  const dir = join(bench.dir, name);
  mkdirSync(dir);
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: bench.dir,
    DAGGER_DATA_DIR: join(bench.dir, "data"),
    TMPDIR: join(bench.dir, "tmp"),
    BUILDKIT_HOST: bench.daemon.address,
    NO_COLOR: "1",
    ...(store === undefined ? {} : { DAGGER_STORE: store }),
  };
  return { dir, env, location: store === undefined ? { file: join(dir, ".dagger/state/store.db") } : { url: store } };
}

function up({ dir, env }: Place, environment: string, word: string): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const args = ["up", "-s", "web", "-e", environment, "-i", `word=${word}`, "--secret", "token=age:token", "--progress", "plain"];
  const child = spawn(join(repository, "bin/dagger"), args, {
    cwd: dir,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (text += data.toString()));
  return { child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, text })) };
}

interface Ended {
  /** null: killed. */
  readonly code: number | null;
  readonly text: string;
}

/** All at once; `delays`: milliseconds after which each is killed. Resolves with how each ended, and how long all took. */
async function runAll(
  place: Place,
  word: string,
  delays?: readonly number[],
): Promise<{ readonly ended: readonly Ended[]; readonly ms: number }> {
  const began = performance.now();
  const ended = await Promise.all(
    environments.map(async (environment, at) => {
      const run = up(place, environment, word);
      const delay = delays?.[at];
      if (delay !== undefined) {
        const over = new AbortController();
        void run.ended.then(() => over.abort());
        await sleep(delay, undefined, { signal: over.signal }).catch(() => undefined);
        run.child.kill("SIGKILL");
      }
      return run.ended;
    }),
  );
  return { ended, ms: performance.now() - began };
}

const runsOf = async (place: Place): Promise<RecordedRun[]> =>
  JSON.parse(await ok(place, "history", "list", "--limit", "1000", "--output", "json")) as RecordedRun[];

/** What must hold after a round, whenever its processes died. Gives the runs there are. */
async function check(place: Place, word: string, ended: readonly Ended[], before: number): Promise<RecordedRun[]> {
  const runs = await runsOf(place);
  const fresh = runs.slice(0, runs.length - before);
  assert.deepEqual(
    runs.filter(({ state }) => state !== "done" && state !== "interrupted"),
    [],
  );
  for (const [at, environment] of environments.entries()) {
    const rows = fresh.filter(({ env }) => env === environment);
    const { code, text } = ended[at] as Ended;
    assert.ok(code === null || code === 0, `${environment} failed:\n${text}`);
    assert.ok(rows.length <= 1);
    // What told of a step had its row before.
    if (/^#\d/m.test(text) || code === 0) assert.equal(rows.length, 1, `${environment} ran, and has no row:\n${text}`);
    if (code === 0) assert.equal(rows[0]?.state, "done");
    // A directory is saved as a whole or not at all.
    const saved = join(place.dir, "out", word, word);
    if (rows[0]?.state === "done") assert.equal(readFileSync(saved, "utf8"), `second ${word}`);
  }
  await checkStore(place);
  return runs;
}

async function checkStore({ location }: Place): Promise<void> {
  if ("file" in location) {
    const database = new DatabaseSync(location.file);
    assert.deepEqual({ ...database.prepare("pragma integrity_check").get() }, { integrity_check: "ok" });
    database.close();
  }
  const store = await openTestStore(location);
  assert.deepEqual(await store.leases.list(), []);
  await store.close();
}

async function killAtFiftyMoments(place: Place): Promise<void> {
  await ok(place, "init");
  const flags = environments.flatMap((name) => ["--env", name]);
  writeFileSync(join(place.dir, "ci.cue"), readFileSync(join(bench.dir, "ci/ci.cue")));
  await ok(place, "stack", "new", "web", "--dir", ".", ...flags);
  for (const name of environments)
    await ok(place, "secret", "set", "token", "-s", "web", "-e", name, "--file", join(bench.dir, "kept/token"));
  // As long as it takes, all at once, when nothing is the first time: moments lie anywhere in it.
  const cold = await runAll(place, "cold");
  for (const { code, text } of cold.ended) assert.equal(code, 0, text);
  const measured = await runAll(place, "warm");
  let runs = await check(place, "warm", measured.ended, environments.length);
  assert.equal(runs.length, 2 * environments.length);
  let killed = 0;
  for (let round = 0; round < rounds; round++) {
    const word = `round${round}`;
    const delays = environments.map(() => Math.random() * measured.ms);
    const { ended } = await runAll(place, word, delays);
    killed += ended.filter(({ code }) => code === null).length;
    runs = await check(place, word, ended, runs.length);
    for (const environment of environments.slice(round * 2, round * 2 + 2)) {
      const next = await up(place, environment, `next${round}`).ended;
      assert.equal(next.code, 0, next.text);
      assert.match(next.text, /line 150 of \*\*\*/);
      assert.equal(await ok(place, "output", "get", "second", "-s", "web", "-e", environment), `second next${round}\n`);
    }
    runs = await runsOf(place);
  }
  assert.ok(killed > 0, "every run was over before its moment");
  for (const name of ["tmp", "data", ".cache", ".config", place.dir.slice(bench.dir.length + 1)]) {
    const root = join(bench.dir, name);
    await searchTree(forms, root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  assert.ok((await searchStore(forms, place.location, postgres.sql)) > 100);
  rmSync(place.dir, { recursive: true });
}

test("SQLite: runs that are killed at fifty moments leave a whole store, no secret, and an environment that goes on", async () => {
  await killAtFiftyMoments(makePlace("sqlite"));
});

test("PostgreSQL: runs that are killed at fifty moments leave a whole store, no secret, and an environment that goes on", async () => {
  await killAtFiftyMoments(makePlace("postgres", await postgres.database()));
});
