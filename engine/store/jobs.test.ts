// The queue of jobs, on both real databases.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPostgres, type TestPostgres } from "../../test/support/postgres.ts";
import { code, newRun, openTestStore, temporaryDirectory } from "../../test/support/run-store.ts";
import type { Job, NewJob, Store, StoreLocation } from "./index.ts";

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

const databases: Record<string, () => Promise<{ location: StoreLocation; remove: () => Promise<void> }>> = {
  SQLite: async () => {
    const { dir, remove } = await temporaryDirectory();
    return { location: { file: `${dir}/state/store.db` }, remove };
  },
  PostgreSQL: async () => ({ location: { url: await postgres.database() }, remove: async () => {} }),
};

const job = (env: string, ...tags: string[]): NewJob => ({ stack: "web", env, tags, request: { inputs: [] } });
const some = (taken: Job | undefined): Job => {
  assert.ok(taken !== undefined);
  return taken;
};

for (const [name, make] of Object.entries(databases)) {
  describe(name, () => {
    async function withStores(use: (store: Store, open: () => Promise<Store>) => Promise<void>): Promise<void> {
      const { location, remove } = await make();
      const stores: Store[] = [];
      const open = async (): Promise<Store> => {
        const store = await openTestStore(location);
        let closing: Promise<void> | undefined;
        const once = { ...store, close: () => (closing ??= store.close()) };
        stores.push(once);
        return once;
      };
      try {
        await use(await open(), open);
      } finally {
        for (const store of stores.reverse()) await store.close();
        await remove();
      }
    }

    test("jobs are taken in their order, by who has the tags that they ask for, and once", () =>
      withStores(async (store, open) => {
        const other = await open();
        const added = [];
        for (const one of [job("a", "gpu", "osx"), job("b"), job("c", "gpu")]) added.push((await store.jobs.add(one)).job);
        assert.deepEqual(added[0]?.tags, ["gpu", "osx"]);
        assert.equal(some(await other.jobs.take([], 3)).env, "b");
        assert.equal(await store.jobs.take([], 3), undefined);
        assert.equal(some(await store.jobs.take(["gpu", "linux"], 3)).env, "c");
        const last = some(await store.jobs.take(["osx", "gpu"], 3));
        assert.deepEqual([last.env, last.state, last.attempts], ["a", "running", 1]);
        assert.match(last.worker ?? "", /pid \d+/);
        assert.equal(await other.forTenant("other").jobs.take(["osx", "gpu"], 3), undefined);
        assert.deepEqual(
          (await store.jobs.list()).map(({ env, state }) => [env, state]),
          [
            ["a", "running"],
            ["b", "running"],
            ["c", "running"],
          ],
        );
      }));

    test("many who take at once get a job each", () =>
      withStores(async (store, open) => {
        const others = [store, await open(), await open(), await open()];
        for (let n = 0; n < 12; n++) await store.jobs.add(job(`e${n}`));
        const taken = await Promise.all(Array.from({ length: 16 }, async (_, n) => others[n % 4]?.jobs.take([], 3)));
        const envs = taken.flatMap((one) => one?.env ?? []);
        assert.equal(envs.length, 12);
        assert.equal(new Set(envs).size, 12);
      }));

    test("a key stands for one job", () =>
      withStores(async (store) => {
        const wish = { ...job("a"), idempotencyKey: "commit 1" };
        const [first, second] = [await store.jobs.add(wish), await store.jobs.add(wish)];
        assert.deepEqual([first.created, second.created, second.job.id], [true, false, first.job.id]);
      }));

    test("the job of a worker that is gone waits for the next, which alone can end it", () =>
      withStores(async (store, open) => {
        await store.jobs.add(job("a"));
        const gone = await open();
        const first = some(await gone.jobs.take([], 3));
        const { run } = await gone.runs.create(newRun("web", "a"));
        assert.equal(await gone.jobs.attach(first, run.id), undefined);
        await gone.close();
        const second = some(await store.jobs.take([], 3));
        assert.deepEqual([second.id, second.run, second.attempts], [first.id, run.id, 2]);
        assert.ok(second.token > first.token);
        const late = await open();
        await assert.rejects(late.jobs.end(first, "done"), code("job-taken-over"));
        await assert.rejects(late.jobs.attach(first, run.id), code("job-taken-over"));
        const done = await store.jobs.end(second, "done");
        assert.equal(done.state, "done");
        assert.deepEqual(await store.jobs.end(second, "done"), done);
        await assert.rejects(store.jobs.end(second, "failed"), code("job-taken-over"));
      }));

    test("a job that ends its workers is given up", () =>
      withStores(async (store, open) => {
        const { job: added } = await store.jobs.add(job("a"));
        for (let n = 0; n < 2; n++) {
          const worker = await open();
          some(await worker.jobs.take([], 2));
          await worker.close();
        }
        assert.equal(await store.jobs.take([], 2), undefined);
        const given = some(await store.jobs.get(added.id));
        assert.deepEqual([given.state, given.attempts, given.reason], ["failed", 2, "closed"]);
      }));

    test("a job is given back, as one that was tried or not", () =>
      withStores(async (store) => {
        await store.jobs.add(job("a"));
        await store.jobs.giveBack(some(await store.jobs.take([], 3)), "stopped", false);
        await store.jobs.giveBack(some(await store.jobs.take([], 3)), "no daemon", true);
        const third = some(await store.jobs.take([], 3));
        assert.deepEqual([third.attempts, third.reason], [2, undefined]);
      }));

    test("a job is cancelled while it waits, while a worker has it, and when that worker is gone", () =>
      withStores(async (store, open) => {
        const [a, b, c] = [await store.jobs.add(job("a")), await store.jobs.add(job("b")), await store.jobs.add(job("c"))];
        assert.equal((await store.jobs.cancel(a.job.id, "cancelled"))?.state, "cancelled");
        assert.equal(await store.jobs.cancel(a.job.id, "cancelled"), undefined);
        const taken = some(await store.jobs.take([], 3));
        assert.equal(taken.id, b.job.id);
        assert.equal((await store.jobs.cancel(b.job.id, "cancelled"))?.state, "running");
        const { run } = await store.runs.create(newRun("web", "b"));
        assert.equal(await store.jobs.attach(taken, run.id), "cancelled");
        await store.jobs.giveBack(taken, "stopped", false);
        assert.equal((await store.jobs.get(b.job.id))?.state, "cancelled");
        const worker = await open();
        some(await worker.jobs.take([], 3));
        await store.jobs.cancel(c.job.id, "cancelled");
        await worker.close();
        assert.equal((await store.jobs.get(c.job.id))?.state, "cancelled");
        assert.deepEqual(
          (await store.jobs.list({ states: ["cancelled"] })).map(({ env }) => env),
          ["c", "b", "a"],
        );
      }));
  });
}
