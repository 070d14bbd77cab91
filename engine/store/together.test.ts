// Writes of a run that belong together, on both real databases.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../test/support/postgres.ts";
import { code, log, newRun, openTestStore, temporaryDirectory } from "../../test/support/run-store.ts";
import type { StoreLocation } from "./index.ts";

async function writeTogether(location: StoreLocation): Promise<void> {
  const store = await openTestStore(location);
  const run = await store.runs.start((await store.runs.create(newRun("web", "dev"))).run);
  const written = await store.together(async (writes) => {
    const config = await writes.blobs.put(run, Buffer.from("config"));
    await writes.runs.update(run, { config });
    return writes.logs.append(run, 0, [log("one")]);
  });
  assert.equal(written, 1);
  const failing = store.together(async (writes) => {
    await writes.logs.append(run, 1, [log("two")]);
    await writes.outputs.put(run, [{ component: "app", value: 1, provenance: {} }]);
    throw new Error("halfway");
  });
  await assert.rejects(failing, /halfway/);
  assert.equal((await store.logs.read(run.id)).cursor, 1);
  assert.deepEqual(await store.outputs.list("web", "dev"), []);
  await store.runs.finish(run, { state: "done" });
  const late = store.together((writes) => writes.logs.append(run, 1, [log("late")]));
  await assert.rejects(late, code("run-taken-over"));
  await store.close();
}

test("SQLite: writes that belong together are there all or not at all", async () => {
  const { dir, remove } = await temporaryDirectory();
  await writeTogether({ file: `${dir}/store.db` });
  await remove();
});

test("PostgreSQL: writes that belong together are there all or not at all", async () => {
  const server = await startPostgres();
  await writeTogether({ url: await server.database() });
  await server.stop();
});
