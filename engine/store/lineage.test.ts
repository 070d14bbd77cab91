// Versions and computations with what they come from, on both real databases.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DatabaseSync } from "@photostructure/sqlite";
import { startPostgres, type TestPostgres } from "../../test/support/postgres.ts";
import { code, openTestStore, temporaryDirectory } from "../../test/support/run-store.ts";
import type { DatumEdge, DatumKey, NewDatum, Store, StoreLocation } from "./index.ts";

let postgres: TestPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

async function poke(location: StoreLocation, sql: string): Promise<void> {
  if ("url" in location) return void (await postgres.sql(location.url, sql));
  const database = new DatabaseSync(location.file, { timeout: 5000 });
  database.exec(sql);
  database.close();
}

const version = (name: string, id: string): NewDatum => ({ kind: "version", name, id, state: "", detail: { of: name } });
const computation = (name: string, id: string): NewDatum => ({ kind: "computation", name, id, state: "pending", detail: null });
const edge = (child: DatumKey, parent: DatumKey, kind: DatumEdge["kind"]): DatumEdge => ({ child, parent, kind });
const text = ({ name, id }: DatumKey): string => `${name}:${id}`;

const databases: Record<string, () => Promise<{ location: StoreLocation; remove: () => Promise<void> }>> = {
  SQLite: async () => {
    const { dir, remove } = await temporaryDirectory();
    return { location: { file: `${dir}/store.db` }, remove };
  },
  PostgreSQL: async () => ({ location: { url: await postgres.database() }, remove: async () => {} }),
};

for (const [name, make] of Object.entries(databases)) {
  describe(name, () => {
    async function withStore(use: (store: Store, location: StoreLocation) => Promise<void>): Promise<void> {
      const { location, remove } = await make();
      const store = await openTestStore(location);
      try {
        await use(store, location);
      } finally {
        await store.close();
        await remove();
      }
    }

    test("what only the holder of a lease may record is refused when another one has it", () =>
      withStore(async (store) => {
        const signal = new AbortController().signal;
        const first = await store.leases.acquire({ key: "node:n", signal });
        await store.lineages.record([computation("n", "1")], [], first);
        await first.release();
        const second = await store.leases.acquire({ key: "node:n", signal });
        const late = { ...computation("n", "1"), state: "failure" };
        await assert.rejects(store.lineages.record([late], [], first), code("lease-lost"));
        assert.equal((await store.lineages.get(late))?.state, "pending");
        await store.lineages.record([{ ...late, state: "success" }], [], second);
        await second.release();
        await assert.rejects(store.lineages.record([late], [], second), code("lease-lost"));
        assert.equal((await store.lineages.get(late))?.state, "success");
      }));

    test("versions are listed newest first, found by how they begin, and current again when they are said to be", () =>
      withStore(async ({ lineages }) => {
        await lineages.record([version("web", "sha1:AB12"), version("web", "sha1:cd34"), version("other", "sha1:ab99")]);
        await lineages.record([version("web", "sha1:ef56"), version("web", "sha1:ab13")]);
        const ids = async (options?: object): Promise<string[]> =>
          (await lineages.list({ kind: "version", name: "web" }, options)).map(({ id }) => id);
        assert.deepEqual(await ids(), ["sha1:ab13", "sha1:ef56", "sha1:cd34", "sha1:AB12"]);
        assert.deepEqual(await ids({ prefix: "ab1" }), ["sha1:ab13", "sha1:AB12"]);
        assert.deepEqual(await ids({ prefix: "ab12" }), ["sha1:AB12"]);
        assert.deepEqual(await ids({ limit: 1 }), ["sha1:ab13"]);
        // Seen again it stays where it is, unless its source went back to it.
        await lineages.record([version("web", "sha1:cd34")]);
        assert.deepEqual(await ids({ limit: 1 }), ["sha1:ab13"]);
        await lineages.record([{ ...version("web", "sha1:cd34"), isCurrent: true, detail: { more: true } }]);
        const [newest, none] = await lineages.newest("version", ["web", "nothing"]);
        assert.deepEqual([newest?.id, newest?.detail, none], ["sha1:cd34", { more: true }, undefined]);
        assert.equal((await lineages.list({ kind: "version", name: "web" })).length, 4);
      }));

    test("data are listed by their states, in the order in which they came", () =>
      withStore(async ({ lineages }) => {
        const push = (id: string, state: string): NewDatum => ({ kind: "push", name: "web", id, state, detail: null });
        await lineages.record([push("sha1:1a", "waiting"), push("sha1:2a", "conflict"), push("sha1:3a", "waiting")]);
        await lineages.record([push("sha1:1a", "pushed")]);
        const ids = async (...states: string[]): Promise<string[]> =>
          (await lineages.list({ kind: "push", name: "web" }, { states })).map(({ id }) => id);
        assert.deepEqual(await ids("waiting"), ["sha1:3a"]);
        assert.deepEqual(await ids("pushed", "conflict"), ["sha1:2a", "sha1:1a"]);
        assert.deepEqual(await ids("dropped"), []);
      }));

    test("a datum is traced to all that it comes from, each once, also around a circle", () =>
      withStore(async (store) => {
        const { lineages } = store;
        const [source, part, image] = [version("source", "sha1:1"), version("part", "sha1:2"), version("image", "sha256:3")];
        const [test, build] = [computation("test", "t1"), computation("build", "b1")];
        const [dmg, report, unrelated] = [version("dmg", "md5:4"), version("report", "sha256:5"), version("dmg", "md5:9")];
        await lineages.record(
          [source, part, image, unrelated, build, dmg, test, report],
          [
            edge(part, source, "part"),
            edge(build, source, "input"),
            edge(build, image, "input"),
            edge(dmg, build, "output"),
            edge(test, dmg, "input"),
            edge(test, part, "input"),
            edge(report, test, "output"),
          ],
        );
        const traced = await lineages.trace(report);
        assert.deepEqual(traced?.data.map(text), [
          "source:sha1:1",
          "part:sha1:2",
          "image:sha256:3",
          "build:b1",
          "dmg:md5:4",
          "test:t1",
          "report:sha256:5",
        ]);
        assert.equal(traced?.edges.length, 7);
        assert.deepEqual((await lineages.trace(source))?.data.map(text), ["source:sha1:1"]);
        assert.equal(await lineages.trace(version("report", "sha256:none")), undefined);
        // The same again changes nothing; a computation gets its end.
        await lineages.record([{ ...test, state: "success", run: "r1" }], [edge(report, test, "output")]);
        assert.equal((await lineages.trace(report))?.edges.length, 7);
        assert.deepEqual([(await lineages.get(test))?.state, (await lineages.get(test))?.run], ["success", "r1"]);
        await lineages.record([], [edge(source, report, "link")]);
        assert.equal((await lineages.trace(report))?.data.length, 7);
        assert.equal(await store.forTenant("other").lineages.get(report), undefined);
      }));

    test("what cannot be recorded as a whole is not recorded at all", () =>
      withStore(async ({ lineages }) => {
        const made = version("web", "sha1:1");
        await assert.rejects(lineages.record([made], [edge(made, version("web", "sha1:none"), "part")]));
        assert.equal(await lineages.get(made), undefined);
      }));

    test("many writers at once lose nothing", () =>
      withStore(async (_, location) => {
        const stores = await Promise.all(Array.from({ length: 4 }, () => openTestStore(location)));
        const root = version("root", "sha1:0");
        const add = (n: number): Promise<void> =>
          stores[n % 4]!.lineages.record([root, version("web", `sha1:${n}`)], [edge(version("web", `sha1:${n}`), root, "part")]);
        await Promise.all(Array.from({ length: 40 }, (__, n) => add(n)));
        assert.equal((await stores[0]!.lineages.list({ kind: "version", name: "web" })).length, 40);
        assert.equal((await stores[0]!.lineages.list({ kind: "version", name: "root" })).length, 1);
        for (const store of stores) await store.close();
      }));

    test("a store of an older format gets the tables, and keeps its runs", () =>
      withStore(async (store, location) => {
        const { run } = await store.runs.create({ stack: "", env: "", versions: { dagger: "", cue: "", buildkit: "" }, request: {} });
        await store.runs.finish(run, { state: "done" });
        await poke(location, "drop table data");
        await poke(location, "drop table data_edges");
        await poke(location, "delete from counters where name = 'datum'");
        await poke(location, "update meta set value = '2' where name = 'format'");
        const newer = await openTestStore(location);
        await newer.lineages.record([version("web", "sha1:1")]);
        assert.equal((await newer.runs.get(run.id))?.state, "done");
        await newer.close();
      }));
  });
}
