// What every store must do, on both real databases.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startPostgres, type TestPostgres } from "../../test/support/postgres.ts";
import { code, log, newRun, openTestStore, temporaryDirectory } from "../../test/support/run-store.ts";
import type { LeaseEntry, Run, Store, StoreLocation } from "./index.ts";

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

const never = new AbortController().signal;

const databases: Record<string, () => Promise<{ location: StoreLocation; remove: () => Promise<void> }>> = {
  SQLite: async () => {
    const { dir, remove } = await temporaryDirectory();
    return { location: { file: `${dir}/state/store.db` }, remove };
  },
  PostgreSQL: async () => ({ location: { url: await postgres.database() }, remove: async () => {} }),
};

for (const [name, make] of Object.entries(databases)) {
  describe(name, () => {
    /** Runs `use` with a store of its own. */
    async function withStore(use: (store: Store, location: StoreLocation) => Promise<void>, options: object = {}): Promise<void> {
      const { location, remove } = await make();
      const store = await openTestStore(location, options);
      try {
        await use(store, location);
      } finally {
        await store.close();
        await remove();
      }
    }
    const begin = async (store: Store, stack = "web", env = "dev"): Promise<Run> => {
      const { run } = await store.runs.create(newRun(stack, env));
      return store.runs.start(run);
    };

    test("a run is there from its creation to its end, and final then", () =>
      withStore(async (store) => {
        const { run, created } = await store.runs.create({ ...newRun("web", "dev"), request: { targets: ["a"] } });
        assert.equal(created, true);
        assert.deepEqual([run.state, run.stack, run.env, run.seq, run.request], ["queued", "web", "dev", 1, { targets: ["a"] }]);
        const running = await store.runs.start(run);
        await store.runs.update(running, { passes: 2, versions: { dagger: "1", cue: "2", buildkit: "9" } });
        const done = await store.runs.finish(running, { state: "failed", category: "user", reason: "timeout", summary: { steps: 3 } });
        assert.deepEqual(await store.runs.get(run.id), done);
        assert.deepEqual(
          [done.state, done.category, done.reason, done.summary, done.passes],
          ["failed", "user", "timeout", { steps: 3 }, 2],
        );
        assert.equal(done.versions.buildkit, "9");
        // Said again after an answer was lost, it changes nothing; something else is refused.
        assert.deepEqual(await store.runs.finish(running, { state: "failed" }), done);
        await assert.rejects(store.runs.finish(running, { state: "done" }), code("run-taken-over"));
        await assert.rejects(store.runs.update(running, { passes: 3 }), code("run-taken-over"));
        await assert.rejects(store.logs.append(running, 0, [log("late")]), code("run-taken-over"));
        assert.equal(await store.runs.get("unknown"), undefined);
      }));

    test("a run with the key of another is that run, and belongs to who created it", () =>
      withStore(async (store) => {
        const wish = { ...newRun("web", "dev"), idempotencyKey: "build 7" };
        const [first, second] = [await store.runs.create(wish), await store.runs.create(wish)];
        assert.deepEqual([first.created, second.created], [true, false]);
        assert.equal(first.run.id, second.run.id);
        assert.equal((await store.forTenant("other").runs.create(wish)).created, true);
      }));

    test("ids and pages are in the order of creation when the clock goes back", async () => {
      let now = 1_800_000_000_000;
      await withStore(
        async (store) => {
          const ids: string[] = [];
          for (let n = 0; n < 10; n++) {
            now -= 60_000;
            ids.push((await store.runs.create(newRun("web", "dev"))).run.id);
          }
          assert.deepEqual(ids.toSorted(), ids);
          const page = await store.runs.list({ limit: 4 });
          assert.deepEqual(
            page.runs.map(({ id }) => id),
            ids.toReversed().slice(0, 4),
          );
        },
        { now: () => now },
      );
    });

    test("lists are filtered, and pages follow each other while runs are added", () =>
      withStore(async (store) => {
        for (let n = 0; n < 12; n++) {
          const run = await begin(store, n % 2 === 0 ? "web" : "api", n % 3 === 0 ? "prod" : "dev");
          if (n % 4 === 0) await store.runs.finish(run, { state: "failed" });
        }
        const seqs = async (filter: object): Promise<number[]> => (await store.runs.list(filter)).runs.map(({ seq }) => seq);
        assert.deepEqual(await seqs({ stack: "api" }), [12, 10, 8, 6, 4, 2]);
        assert.deepEqual(await seqs({ stack: "web", env: "prod" }), [7, 1]);
        assert.deepEqual(await seqs({ states: ["failed"] }), [9, 5, 1]);
        assert.deepEqual(await seqs({ states: ["failed", "running"], limit: 5 }), [12, 11, 10, 9, 8]);
        const first = await store.runs.list({ limit: 5 });
        await begin(store);
        const second = await store.runs.list({ limit: 5, cursor: first.next ?? "" });
        const third = await store.runs.list({ limit: 5, cursor: second.next ?? "" });
        const all = [...first.runs, ...second.runs, ...third.runs].map(({ seq }) => seq);
        assert.deepEqual(all, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert.equal(third.next, undefined);
        const times = first.runs.map(({ created }) => created);
        assert.deepEqual(await seqs({ since: times[0] ?? 0, before: (times[0] ?? 0) + 1 }), [12]);
      }));

    test("tenants see nothing of each other", () =>
      withStore(async (store) => {
        const run = await begin(store);
        const digest = await store.blobs.put(run, Buffer.from("config"));
        await store.outputs.put(run, [{ component: "app", value: 1, provenance: null }]);
        await store.logs.append(run, 0, [log("line\n")]);
        const lease = await store.leases.acquire({ key: "env:web/dev", signal: never });
        const other = store.forTenant("other");
        assert.equal(await other.runs.get(run.id), undefined);
        assert.deepEqual((await other.runs.list()).runs, []);
        assert.equal(await other.blobs.get(digest), undefined);
        assert.deepEqual(await other.outputs.list("web", "dev"), []);
        assert.deepEqual((await other.logs.read(run.id)).entries, []);
        assert.equal(await other.runs.cancel(run.id, "no"), false);
        await assert.rejects(other.logs.append(run, 1, [log("x")]), code("run-taken-over"));
        assert.deepEqual(await other.leases.list(), []);
        await (await other.leases.acquire({ key: "env:web/dev", signal: never })).release();
        await lease.release();
      }));

    test("components and outputs are replaced by their names", () =>
      withStore(async (store) => {
        const run = await begin(store);
        const base = { steps: 3, cached: 1, ms: 12.4 };
        await store.components.put(run, [
          { ...base, path: "b", state: "running" },
          { ...base, path: "a", state: "waiting" },
        ]);
        const done = { ...base, ms: 12, path: "b", state: "done" as const, outputs: { url: "x" }, fingerprints: { "dir:src": "1" } };
        await store.components.put(run, [done]);
        assert.deepEqual(await store.components.list(run.id), [{ ...base, ms: 12, path: "a", state: "waiting" }, done]);
        const many = Array.from({ length: 1300 }, (_, n) => ({ ...base, ms: 1, path: `many.c${n}`, state: "cached" as const }));
        await store.components.put(run, many);
        assert.equal((await store.components.list(run.id)).length, 1302);
        await store.outputs.put(run, [{ component: "a", value: { n: 1 }, provenance: ["src"] }]);
        await store.outputs.put(run, [{ component: "a", value: "new", provenance: null }]);
        const last = await store.outputs.get("web", "dev", "a");
        assert.deepEqual([last?.value, last?.run], ["new", run.id]);
        await store.outputs.clear("web", "dev");
        assert.deepEqual(await store.outputs.list("web", "dev"), []);
      }));

    test("a process that lost its environment cannot write its outputs", () =>
      withStore(async (store) => {
        const [older, newer] = [await begin(store), await begin(store)];
        await store.outputs.put(newer, [{ component: "a", value: "new", provenance: null }]);
        await assert.rejects(store.outputs.put(older, [{ component: "a", value: "old", provenance: null }]), code("run-taken-over"));
        assert.equal((await store.outputs.get("web", "dev", "a"))?.value, "new");
      }));

    test("events and logs are read on from any number, and a batch that is there is not written twice", () =>
      withStore(async (store) => {
        const run = await begin(store);
        const batch = Array.from({ length: 2500 }, (_, n) => log(`line ${n}\n`));
        assert.equal(await store.logs.append(run, 0, batch), 2500);
        assert.equal(await store.logs.append(run, 0, batch), 2500);
        assert.equal(await store.logs.append(run, 2500, [{ ...log(""), data: new Uint8Array([0, 255, 10, 195]), stream: 2 }]), 2501);
        await assert.rejects(store.logs.append(run, 7777, [log("gap")]), /is at 2501/);
        let text = "";
        let at = 0;
        for (let more = true; more; ) {
          const page = await store.logs.read(run.id, { after: at, limit: 700 });
          for (const { seq, data } of page.entries) {
            assert.equal(seq, ++at);
            if (seq <= 2500) text += Buffer.from(data).toString();
          }
          more = page.more;
        }
        assert.equal(text, batch.map(({ data }) => Buffer.from(data).toString()).join(""));
        const [last] = (await store.logs.read(run.id, { after: 2500 })).entries;
        assert.deepEqual([last?.seq, last?.stream, [...(last?.data ?? [])]], [2501, 2, [0, 255, 10, 195]]);
        assert.deepEqual(await store.logs.read(run.id, { after: 2501 }), { entries: [], cursor: 2501, more: false });
        const event = { time: 5, type: "phase", data: { phase: "solve", text: "ü\u0000" } };
        await store.events.append(run, 0, [event]);
        assert.deepEqual((await store.events.read(run.id)).entries, [{ ...event, seq: 1 }]);
      }));

    test("a run that tells too much keeps its beginning and its end, and says what is missing", () =>
      withStore(
        async (store) => {
          const run = await begin(store);
          const lines = 5000;
          let said = 0;
          for (let n = 0; n < lines; n += 50) {
            const part = Array.from({ length: 50 }, (_, at) => log(`line ${n + at + 1}\n`));
            said += part.reduce((sum, { data }) => sum + data.length, 0);
            await store.logs.append(run, n, part);
          }
          const { entries, cut, cursor, more } = await store.logs.read(run.id, { limit: lines });
          assert.deepEqual([cursor, more], [lines, false]);
          const numbers = entries.map(({ seq }) => seq);
          assert.deepEqual([numbers[0], numbers.at(-1)], [1, lines]);
          assert.ok(cut !== undefined);
          assert.equal(cut.to - cut.from + 1 + entries.length, lines);
          assert.equal(cut.lines, lines - entries.length);
          assert.ok(!numbers.some((seq) => seq >= cut.from && seq <= cut.to));
          assert.ok(numbers.every((seq, at) => Buffer.from(entries[at]?.data ?? []).toString() === `line ${seq}\n`));
          const kept = entries.reduce((sum, { data }) => sum + data.length + 32, 0);
          assert.ok(kept <= 20_000 && kept > 15_000, `${kept} bytes kept of ${said}`);
          // Whoever stood in the middle is told, whoever stands behind it is not.
          assert.deepEqual((await store.logs.read(run.id, { after: cut.from + 3, limit: 1 })).cut, cut);
          assert.equal((await store.logs.read(run.id, { after: cut.to })).cut, undefined);
        },
        { limits: { logs: 20_000, events: 20_000 } },
      ));

    test("the same bytes are kept once, until the last run that needs them is pruned", () =>
      withStore(async (store) => {
        const bytes = Buffer.from("package up\n".repeat(500));
        const [first, second] = [await begin(store), await begin(store)];
        const digest = await store.blobs.put(first, bytes);
        assert.match(digest, /^sha256:[0-9a-f]{64}$/);
        assert.equal(await store.blobs.put(second, bytes), digest);
        assert.deepEqual(Buffer.from((await store.blobs.get(digest)) ?? []), bytes);
        await store.logs.append(first, 0, [log("x")]);
        await store.runs.finish(first, { state: "done" });
        assert.equal(await store.runs.prune({}), 1);
        assert.equal(await store.runs.get(first.id), undefined);
        assert.deepEqual((await store.logs.read(first.id)).entries, []);
        assert.notEqual(await store.blobs.get(digest), undefined);
        await store.runs.finish(second, { state: "done" });
        assert.equal(await store.runs.prune({}), 1);
        assert.equal(await store.blobs.get(digest), undefined);
      }));

    test("prune keeps the newest, and what is not over", () =>
      withStore(async (store) => {
        const open = await begin(store);
        for (let n = 0; n < 250; n++) await store.runs.finish(await begin(store), { state: n % 2 === 0 ? "done" : "failed" });
        assert.equal(await store.runs.prune({ states: ["failed"], keep: 5 }), 120);
        assert.equal(await store.runs.prune({ stack: "other" }), 0);
        assert.equal(await store.runs.prune({ keep: 10 }), 120);
        assert.equal((await store.runs.list({ limit: 100 })).runs.length, 11);
        assert.equal((await store.runs.get(open.id))?.state, "running");
      }));

    test("a lease goes from one to the next in the order in which they came, with higher numbers", () =>
      withStore(async (store) => {
        const order: number[] = [];
        const tokens: number[] = [];
        const first = await store.leases.acquire({ key: "k", signal: never });
        const waiting: Promise<void>[] = [];
        for (let n = 0; n < 8; n++) {
          let seen: readonly LeaseEntry[] = [];
          const told = new Promise<void>((resolve) => {
            const onWait = (entries: readonly LeaseEntry[]): void => {
              seen = entries;
              resolve();
            };
            const turn = store.leases.acquire({ key: "k", signal: never, onWait }).then(async (lease) => {
              order.push(n);
              tokens.push(lease.token);
              await lease.release();
            });
            waiting.push(turn);
          });
          await told;
          assert.deepEqual(
            seen.map(({ state }) => state),
            ["held", ...Array.from({ length: n }, () => "waiting")],
          );
        }
        assert.equal((await store.leases.list("k")).length, 9);
        await first.release();
        await Promise.all(waiting);
        assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert.deepEqual(
          tokens.toSorted((a, b) => a - b),
          tokens,
        );
        assert.ok((tokens[0] ?? 0) > first.token);
        assert.deepEqual(await store.leases.list(), []);
      }));

    test("who gives up leaves the queue", () =>
      withStore(async (store) => {
        const first = await store.leases.acquire({ key: "k", signal: never });
        const impatient = new AbortController();
        const why = new Error("enough");
        const wish = { key: "k", signal: impatient.signal, onWait: () => impatient.abort(why) };
        await assert.rejects(store.leases.acquire(wish), why);
        assert.equal((await store.leases.list("k")).length, 1);
        await first.release();
      }));

    test("superseding cancels who holds and who waits, and comes next", () =>
      withStore(
        async (store) => {
          const [holder, waiter, newest] = [await begin(store), await begin(store), await begin(store)];
          const held = await store.leases.acquire({ key: "k", run: holder.id, signal: never });
          const queued = new Promise<void>((onWait) => {
            const wish = { key: "k", run: waiter.id, signal: never, onWait: () => onWait() };
            void assert.rejects(store.leases.acquire(wish), code("run-superseded")).then(() => onWait());
          });
          await queued;
          const signal = store.runs.signal(holder.id);
          const told = new Promise((resolve) => held.signal.addEventListener("abort", resolve));
          const next = store.leases.acquire({ key: "k", run: newest.id, supersede: true, signal: never });
          await told;
          assert.ok(code("run-superseded")(held.signal.reason));
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
          assert.ok(code("run-superseded")(signal.reason));
          await store.runs.finish(holder, { state: "cancelled", reason: "superseded" });
          await held.release();
          await (await next).release();
          assert.equal((await store.runs.get(waiter.id))?.cancelling, "superseded");
        },
        { beat: { every: 20, ttl: 30_000 } },
      ));

    test("a run is cancelled from another process, with the reason", () =>
      withStore(
        async (store, location) => {
          const run = await begin(store);
          const signal = store.runs.signal(run.id);
          const told = new Promise((resolve) => signal.addEventListener("abort", resolve));
          const elsewhere = await openTestStore(location);
          assert.equal(await elsewhere.runs.cancel(run.id, "not needed"), true);
          await told;
          assert.ok(code("run-cancelled")(signal.reason));
          await store.runs.finish(run, { state: "cancelled" });
          assert.equal(await elsewhere.runs.cancel(run.id, "again"), false);
          await elsewhere.close();
        },
        { beat: { every: 20, ttl: 30_000 } },
      ));

    test("closing a store ends what its process still has", () =>
      withStore(async (store, location) => {
        const elsewhere = await openTestStore(location);
        const run = await begin(elsewhere);
        await elsewhere.leases.acquire({ key: "k", signal: never });
        await elsewhere.close();
        const left = await store.runs.get(run.id);
        assert.deepEqual([left?.state, left?.reason], ["interrupted", "closed"]);
        await (await store.leases.acquire({ key: "k", signal: never })).release();
      }));

    test("stores that are made at the same time by many are made once", async () => {
      const { location, remove } = await make();
      const stores = await Promise.all(Array.from({ length: 10 }, () => openTestStore(location)));
      const runs = await Promise.all(stores.map((store) => store.runs.create(newRun("web", "dev"))));
      assert.deepEqual(
        runs.map(({ run }) => run.seq).toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      );
      for (const store of stores) await store.close();
      await remove();
    });

    test("two hundred writers on ten environments each get their turn, and nothing of theirs is lost", () =>
      withStore(async (_, location) => {
        const stores = await Promise.all(Array.from({ length: 10 }, () => openTestStore(location)));
        const inside = new Map<string, number>();
        const work = async (n: number): Promise<void> => {
          const store = stores[n % 10]!;
          const env = `env${Math.floor(n / 20)}`;
          const { run } = await store.runs.create(newRun("web", env));
          const lease = await store.leases.acquire({ key: `env:web/${env}`, run: run.id, signal: never });
          assert.equal(inside.get(env) ?? 0, 0);
          inside.set(env, 1);
          const running = await store.runs.start(run, lease);
          await store.logs.append(running, 0, [log(`from ${n}\n`)]);
          await store.outputs.put(running, [{ component: "app", value: n, provenance: null }]);
          await store.runs.finish(running, { state: "done" });
          inside.set(env, 0);
          await lease.release();
        };
        await Promise.all(Array.from({ length: 200 }, (__, n) => work(n)));
        const reader = stores[0]!;
        assert.equal((await reader.runs.list({ states: ["done"], limit: 1000 })).runs.length, 200);
        const tokens = new Map<string, number>();
        for (const run of (await reader.runs.list({ limit: 1000 })).runs) {
          assert.equal((await reader.logs.read(run.id)).entries.length, 1);
          tokens.set(run.env, Math.max(tokens.get(run.env) ?? 0, run.token));
        }
        for (const [env, token] of tokens) {
          const last = await reader.outputs.get("web", env, "app");
          assert.equal((await reader.runs.get(last?.run ?? ""))?.token, token);
        }
        for (const store of stores) await store.close();
      }));
  });
}
