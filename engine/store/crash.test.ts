// Processes that are killed while they write, and a database server that is: nothing that was acknowledged is lost.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "@photostructure/sqlite";
import { startPostgres, type TestPostgres } from "../../test/support/postgres.ts";
import { log, newRun, openTestStore, temporaryDirectory } from "../../test/support/run-store.ts";
import type { Acknowledged } from "../../test/support/run-store-child.ts";
import type { Store, StoreLocation } from "./index.ts";

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

const child = fileURLToPath(new URL("../../test/support/run-store-child.ts", import.meta.url));

/** Kills a writer after so many lines of its, wherever it is then. Resolves with what it said until its end. */
async function killWriter(location: StoreLocation, lines: number): Promise<Acknowledged[]> {
  const writer = spawn(process.execPath, ["--import", "tsx", child, JSON.stringify(location)], { stdio: ["ignore", "pipe", "inherit"] });
  const said: Acknowledged[] = [];
  const ended = new Promise((resolve) => writer.once("exit", (_, signal) => resolve(signal)));
  for await (const line of createInterface(writer.stdout)) {
    said.push(JSON.parse(line) as Acknowledged);
    if (said.length === lines) writer.kill("SIGKILL");
  }
  assert.equal(await ended, "SIGKILL");
  return said;
}

/** Holds what is in the store against what was acknowledged. */
async function check(store: Store, said: readonly Acknowledged[]): Promise<void> {
  const last = new Map(said.map((line) => [line.run, line]));
  for (const { run, logs, state } of last.values()) {
    const found = await store.runs.get(run);
    // Beyond what was said it may have come one step further.
    assert.ok(
      found !== undefined && (state === "done" ? ["done"] : ["interrupted", "done"]).includes(found.state),
      `${run} is ${found?.state}`,
    );
    const page = await store.logs.read(run);
    assert.ok(page.cursor >= logs, `${run} has ${page.cursor} of ${logs}`);
    const texts = page.entries.map(({ data }) => Buffer.from(data).toString());
    assert.deepEqual(
      texts,
      texts.map((_, at) => `line ${at + 1}\n`),
    );
    for (const component of await store.components.list(run))
      assert.equal(component.state, found.state === "done" ? "running" : "cancelled");
  }
  assert.deepEqual((await store.runs.list({ states: ["queued", "running"] })).runs, []);
}

async function killAtFiftyMoments(location: StoreLocation): Promise<void> {
  const said: Acknowledged[] = [];
  // A writer that starts late notices those that were killed before: some rounds leave none to this process.
  const noticed: string[] = [];
  for (let round = 0; round < 5; round++) {
    const lines = Array.from({ length: 10 }, () => 1 + Math.floor(Math.random() * 60));
    said.push(...(await Promise.all(lines.map((count) => killWriter(location, count)))).flat());
    const store = await openTestStore(location, { onNotice: (text) => noticed.push(text) });
    await check(store, said);
    await store.close();
  }
  assert.ok(noticed.length > 0);
  for (const text of noticed) assert.match(text, / was interrupted$/);
}

test("SQLite: writers that are killed at fifty moments lose nothing that was acknowledged", async () => {
  const { dir, remove } = await temporaryDirectory();
  const file = `${dir}/store.db`;
  await killAtFiftyMoments({ file });
  const database = new DatabaseSync(file);
  assert.deepEqual({ ...database.prepare("pragma integrity_check").get() }, { integrity_check: "ok" });
  database.close();
  await remove();
});

test("PostgreSQL: writers that are killed at fifty moments lose nothing that was acknowledged", async () => {
  await killAtFiftyMoments({ url: await postgres.database() });
});

test("PostgreSQL: a process that is frozen in the middle of a transaction keeps others waiting for seconds, and goes on when it is back", async (context) => {
  const location = { url: await postgres.database() };
  const store = await openTestStore(location);
  const free = "select count(*) from (select from counters where name = 'run' for update skip locked) as free";
  const writer = spawn(process.execPath, ["--import", "tsx", child, JSON.stringify(location)], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => writer.kill("SIGKILL"));
  const lines = createInterface(writer.stdout)[Symbol.asyncIterator]();
  const said = async (): Promise<string> => {
    const line = await lines.next();
    assert.ok(line.done !== true, "the writer ended");
    return line.value;
  };
  for (let frozen = false; !frozen; ) {
    // What follows the end of a run is a new one, whose number is drawn.
    if (!(await said()).includes('"done"')) continue;
    writer.kill("SIGSTOP");
    // What it had asked for before, the server has answered by then.
    await sleep(50);
    frozen = (await postgres.sql(location.url, free)) === "0";
    if (!frozen) writer.kill("SIGCONT");
  }
  assert.equal((await store.runs.create(newRun("web", "other"))).created, true);
  const last = async (): Promise<string | undefined> => (await store.runs.list({ env: `of-${writer.pid}`, limit: 1 })).runs[0]?.id;
  const before = await last();
  writer.kill("SIGCONT");
  while ((await last()) === before) await said();
  writer.kill("SIGKILL");
  await once(writer, "exit");
  await store.close();
});

test("a PostgreSQL that crashes and comes back while a run writes is waited for, and nothing is there twice", async () => {
  const store = await openTestStore({ url: await postgres.database() });
  const { run } = await store.runs.create(newRun("web", "dev"));
  const running = await store.runs.start(run);
  const crashing = (async () => {
    for (let crash = 0; crash < 3; crash++) {
      await postgres.crash();
      await postgres.restart();
    }
  })();
  let over = false;
  void crashing.finally(() => {
    over = true;
  });
  let count = 0;
  let others = 0;
  while (!over || count < 100) {
    count = await store.logs.append(running, count, [log(`line ${count + 1}\n`)]);
    if (count % 20 === 0) {
      others++;
      assert.equal((await store.runs.create(newRun("web", "other"))).created, true);
    }
  }
  await crashing;
  let at = 0;
  for (let more = true; more; ) {
    const page = await store.logs.read(run.id, { after: at });
    for (const { seq, data } of page.entries) assert.deepEqual([seq, Buffer.from(data).toString()], [++at, `line ${at}\n`]);
    more = page.more;
  }
  assert.equal(at, count);
  assert.equal((await store.runs.list({ env: "other", limit: 1000 })).runs.length, others);
  await store.runs.finish(running, { state: "done" });
  await store.close();
});
