// Stores that cannot be used, and holders that do not answer: what is told, and how it goes on.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { DatabaseSync } from "@photostructure/sqlite";
import { startPostgres, type TestPostgres } from "../../test/support/postgres.ts";
import { code, log, newRun, openTestStore, temporaryDirectory } from "../../test/support/run-store.ts";
import { openStore, restoreStore, type StoreLocation } from "./index.ts";

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

const never = new AbortController().signal;

async function inDirectory(use: (dir: string) => Promise<void>): Promise<void> {
  const { dir, remove } = await temporaryDirectory();
  try {
    await use(dir);
  } finally {
    await remove();
  }
}

/** A file system of its own, which can be full or read-only. Needs root. */
async function onSmallDisk(use: (dir: string) => Promise<void>): Promise<void> {
  await inDirectory(async (dir) => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", dir]);
    try {
      await use(dir);
    } finally {
      execFileSync("umount", ["--lazy", dir]);
    }
  });
}

/** Changes rows behind the store's back. */
async function poke(location: StoreLocation, sql: string): Promise<void> {
  if ("url" in location) {
    await postgres.sql(location.url, sql);
    return;
  }
  const database = new DatabaseSync(location.file, { timeout: 5000 });
  database.exec(sql);
  database.close();
}

/** What SQLite reads comes from the file then, and no more from the log of writes beside it. */
const emptyLog = (file: string): Promise<void> => poke({ file }, "pragma wal_checkpoint(truncate)");

test("a full disk is told; what was acknowledged stays, and the store goes on when there is room", () =>
  onSmallDisk(async (dir) => {
    fs.writeFileSync(`${dir}/filler`, Buffer.alloc(1_000_000));
    const store = await openTestStore({ file: `${dir}/store.db` });
    const { run } = await store.runs.create(newRun("web", "dev"));
    let count = 0;
    const noise = (): Buffer => Buffer.from(Array.from({ length: 20_000 }, () => Math.floor(Math.random() * 256)));
    const fill = async (): Promise<void> => {
      for (;;) count = await store.logs.append(run, count, [{ ...log(""), data: noise() }]);
    };
    await assert.rejects(fill(), code("store-full"));
    assert.equal((await store.logs.read(run.id)).cursor, count);
    fs.rmSync(`${dir}/filler`);
    assert.equal(await store.logs.append(run, count, [log("more")]), count + 1);
    await store.close();
  }));

test("a directory that cannot be written is told", () =>
  onSmallDisk(async (dir) => {
    await inDirectory(async (elsewhere) => {
      await (await openTestStore({ file: `${elsewhere}/store.db` })).close();
      fs.copyFileSync(`${elsewhere}/store.db`, `${dir}/store.db`);
    });
    execFileSync("mount", ["-o", "remount,ro", dir]);
    const use = async (file: string): Promise<void> => {
      const store = await openTestStore({ file });
      await store.runs.create(newRun("web", "dev")).finally(() => store.close());
    };
    await assert.rejects(use(`${dir}/store.db`), code("store-read-only"));
    await assert.rejects(use(`${dir}/new/store.db`), code("store-read-only"));
  }));

test("a place where no store can be is told", () =>
  inDirectory(async (dir) => {
    fs.writeFileSync(`${dir}/file`, "");
    await assert.rejects(openTestStore({ file: `${dir}/file/store.db` }), code("store-unreachable"));
    await assert.rejects(openTestStore({ file: dir }), code("store-unreachable"));
  }));

test("a SQLite file that another process is just making is waited for", async () => {
  const { dir, remove } = await temporaryDirectory();
  const other = new DatabaseSync(`${dir}/store.db`);
  other.exec("begin exclusive");
  const opening = openTestStore({ file: `${dir}/store.db` });
  setTimeout(() => other.exec("rollback"), 100);
  const store = await opening;
  await store.close();
  other.close();
  await remove();
});

test("a damaged SQLite file is told, and restored from its backup", () =>
  inDirectory(async (dir) => {
    const file = `${dir}/store.db`;
    await assert.rejects(restoreStore(file), code("store-no-backup"));
    const store = await openTestStore({ file });
    const { run } = await store.runs.create(newRun("web", "dev"));
    await store.logs.append(
      run,
      0,
      Array.from({ length: 500 }, (_, n) => log(`${n} ${Math.random()}\n`)),
    );
    await store.runs.finish(run, { state: "done" });
    // Makes the backup: there was none.
    await store.close();

    await emptyLog(file);
    fs.writeFileSync(file, "garbage ".repeat(5000));
    await assert.rejects(openTestStore({ file }), code("store-corrupt"));
    const restored = await restoreStore(file);
    assert.equal(fs.readFileSync(restored.aside ?? "", "utf8").slice(0, 7), "garbage");
    const again = await openTestStore({ file });
    assert.equal((await again.runs.get(run.id))?.state, "done");
    assert.equal((await again.logs.read(run.id)).entries.length, 500);
    await again.close();
  }));

test("damage in the middle of a SQLite file is told when it is met, and never replaces a good backup", () =>
  inDirectory(async (dir) => {
    const file = `${dir}/store.db`;
    let now = Date.now();
    const store = await openTestStore({ file }, { now: () => now });
    const { run } = await store.runs.create(newRun("web", "dev"));
    await store.logs.append(
      run,
      0,
      Array.from({ length: 2000 }, (_, n) => log(`${n} ${Math.random()}\n`)),
    );
    await store.runs.finish(run, { state: "done" });
    await store.close();
    await emptyLog(file);
    const whole = fs.readFileSync(`${file}.backup`);
    const handle = fs.openSync(file, "r+");
    for (let page = 1; page < fs.fstatSync(handle).size / 4096; page++)
      fs.writeSync(handle, Buffer.alloc(4096, 0xee), 0, 4096, page * 4096);
    fs.closeSync(handle);

    // Two days later a backup is due.
    now += 2 * 24 * 3600 * 1000;
    const use = async (): Promise<void> => {
      const damaged = await openTestStore({ file }, { now: () => now });
      await damaged.logs.read(run.id).finally(() => damaged.close());
    };
    await assert.rejects(use(), code("store-corrupt"));
    assert.deepEqual(fs.readFileSync(`${file}.backup`), whole);
    await restoreStore(file);
    const again = await openTestStore({ file });
    assert.equal((await again.logs.read(run.id, { limit: 5000 })).entries.length, 2000);
    await again.close();
  }));

test("a SQLite store that is never closed is copied each day, and whoever writes goes on meanwhile", () =>
  inDirectory(async (dir) => {
    const file = `${dir}/store.db`;
    let now = Date.now();
    const notices: string[] = [];
    const store = await openStore({ location: { file }, now: () => now, copyEvery: 20, onNotice: (text) => notices.push(text) });
    const { run } = await store.runs.create(newRun("web", "dev"));
    let count = 0;
    const writeUntil = async (made: string): Promise<void> => {
      const before = count;
      for (const end = Date.now() + 120_000; !fs.existsSync(made); ) {
        assert.ok(Date.now() < end, `${made} does not come: ${notices.join()}`);
        count = await store.logs.append(run, count, [log(`${count + 1}\n`)]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(count > before);
    };
    await writeUntil(`${file}.backup`);
    const first = count;
    now += 2 * 24 * 3600 * 1000;
    await writeUntil(`${file}.backup-before`);
    await store.runs.finish(run, { state: "done" });
    await store.close();
    assert.deepEqual(notices, []);
    const copy = await openTestStore({ file: `${file}.backup` });
    const { entries } = await copy.logs.read(run.id, { limit: count });
    assert.ok(entries.length >= Math.min(first, 100));
    assert.deepEqual(
      entries.map(({ data }) => Buffer.from(data).toString()),
      entries.map((_, n) => `${n + 1}\n`),
    );
    await copy.close();
  }));

test("a PostgreSQL that is not there is told at once, without the password", async () => {
  const url = "postgres://user:hunter2@127.0.0.1:1/history";
  await assert.rejects(openTestStore({ url }), (error) => {
    assert.ok(code("store-unreachable")(error));
    assert.ok(error instanceof Error && !error.message.includes("hunter2") && error.message.includes("127.0.0.1:1/history"));
    return true;
  });
  await assert.rejects(openTestStore({ url: (await postgres.database()) + "-gone" }), code("store-unreachable"));
  await assert.rejects(openTestStore({ url: "mysql://x" }), code("store-address"));
});

test("a server that does not come back is told when patience ends", async () => {
  const own = await startPostgres();
  const store = await openStore({ location: { url: await own.database() }, now: Date.now, patience: 200 });
  // What this process has is to be given back.
  await store.runs.create(newRun("web", "dev"));
  await own.stop();
  await assert.rejects(store.runs.create(newRun("web", "dev")), code("store-unreachable"));
  await assert.rejects(store.close(), code("store-unreachable"));
});

const places: Record<string, () => Promise<{ location: StoreLocation; remove: () => Promise<void> }>> = {
  SQLite: async () => {
    const { dir, remove } = await temporaryDirectory();
    return { location: { file: `${dir}/store.db` }, remove };
  },
  PostgreSQL: async () => ({ location: { url: await postgres.database() }, remove: async () => {} }),
};

for (const [name, make] of Object.entries(places)) {
  test(`${name}: a store of a newer dagger is refused`, async () => {
    const { location, remove } = await make();
    await (await openTestStore(location)).close();
    await poke(location, "update meta set value = '99' where name = 'format'");
    await assert.rejects(openTestStore(location), code("store-newer"));
    await remove();
  });

  test(`${name}: a holder on another machine that is not heard of loses its lease and its run, and is told`, async () => {
    const { location, remove } = await make();
    const silent = await openTestStore(location, { beat: { every: 40, ttl: -1000 } });
    const { run } = await silent.runs.create(newRun("web", "dev"));
    const lost = await silent.leases.acquire({ key: "k", run: run.id, signal: never });
    const store = await openTestStore(location);
    await poke(location, "update holders set machine = 'elsewhere'");
    const lease = await store.leases.acquire({ key: "k", signal: never });
    assert.ok(lease.token > lost.token);
    await lease.release();
    const left = await store.runs.get(run.id);
    assert.deepEqual([left?.state, left?.reason], ["interrupted", "killed"]);
    if (!lost.signal.aborted) await new Promise((resolve) => lost.signal.addEventListener("abort", resolve));
    assert.ok(code("lease-lost")(lost.signal.reason));
    const signal = silent.runs.signal(run.id);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    assert.ok(code("run-taken-over")(signal.reason));
    await assert.rejects(silent.logs.append(run, 0, [log("late")]), code("run-taken-over"));
    await silent.close();
    await store.close();
    await remove();
  });

  test(`${name}: a process of this machine that lives keeps its lease however silent it is, until somebody supersedes it`, async () => {
    const { location, remove } = await make();
    const silent = await openTestStore(location, { beat: { every: 3_600_000, ttl: 1 } });
    const { run } = await silent.runs.create(newRun("web", "dev"));
    await silent.leases.acquire({ key: "k", run: run.id, signal: never });
    await poke(location, "update holders set until = 0");
    const store = await openTestStore(location);
    assert.equal((await store.leases.list("k")).length, 1);
    assert.equal((await store.runs.get(run.id))?.state, "queued");
    const lease = await store.leases.acquire({ key: "k", supersede: true, signal: never });
    assert.equal((await store.runs.get(run.id))?.state, "interrupted");
    await lease.release();
    await silent.close();
    await store.close();
    await remove();
  });
}
