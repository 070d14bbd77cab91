// Recording: what the store has of a run while it goes on, when it ends, and when its process is killed.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import type { Step } from "../events.ts";
import { openStore } from "../store/index.ts";
import { ComponentBook } from "./components.ts";
import { Recorder } from "./recorder.ts";

const dir = mkdtempSync(join(tmpdir(), "recording-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const step = (component: string, name: string): Step => ({ digest: `sha256:${component}${name}`, name, component, at: [] });
const run = {
  stack: "web",
  env: "dev",
  versions: { dagger: "0.1.0", cue: "v0.18.0", buildkit: "v0.32.2" },
  request: { dir: "./ci" },
};
const nothing = { events: [], logs: [], components: [] };

test("a recorded run has its config, daemon, events, logs, outputs with provenance, and its end", async () => {
  const store = await openStore({ location: { file: join(dir, "store.db") }, now: Date.now });
  try {
    const lease = { key: "env:web/dev", supersede: false };
    const { signal } = new AbortController();
    const fail = (): never => assert.fail("nobody else wants anything of this run");
    const recorder = new Recorder({ store, run, lease, signal, onWait: fail, onCancel: fail });
    const id = await recorder.begin();
    assert.equal((await store.runs.get(id))?.state, "running");
    const log = { time: 2, component: "app", step: "sha256:1", stream: 1 as const, data: Buffer.from("hello\n") };
    const events = [{ time: 1, type: "phase", data: { phase: "solve" } }];
    await recorder.take({ ...nothing, events, logs: [log], config: '{"files":{}}', daemon: "BuildKit v0.31.0" });
    const last = { time: 3, type: "phase", data: { phase: "save" } };
    const outputs = [{ component: "app", value: "1.2.3" }];
    await recorder.end({ ...nothing, events: [last], end: { state: "done" }, outputs, provenance: { definition: "sha256:d" } });

    const ended = await store.runs.get(id);
    assert.equal(ended?.state, "done");
    assert.equal(ended.versions.buildkit, "v0.31.0");
    assert.equal(Buffer.from((await store.blobs.get(ended.config ?? "")) ?? []).toString(), '{"files":{}}');
    assert.deepEqual(
      (await store.events.read(id)).entries.map(({ data }) => data),
      [{ phase: "solve" }, { phase: "save" }],
    );
    assert.equal(Buffer.from((await store.logs.read(id)).entries[0]?.data ?? []).toString(), "hello\n");
    const output = await store.outputs.get("web", "dev", "app");
    assert.equal(output?.value, "1.2.3");
    assert.deepEqual(output.provenance, { config: ended.config, definition: "sha256:d" });
    assert.deepEqual(await store.leases.list("env:web/dev"), []);
  } finally {
    await store.close();
  }
});

test("a run that is given up while it waits for another leaves the queue, and is over", async () => {
  const store = await openStore({ location: { file: join(dir, "queue.db") }, now: Date.now });
  try {
    const other = await store.leases.acquire({ key: "env:web/dev", signal: new AbortController().signal });
    const giving = new AbortController();
    const recorder = new Recorder({
      store,
      run,
      lease: { key: "env:web/dev", supersede: false },
      signal: giving.signal,
      onWait: () => giving.abort(new UserError(130, [{ code: "interrupted", message: "given up", at: [] }])),
      onCancel: () => undefined,
    });
    await assert.rejects(recorder.begin(), /given up/);
    const [waited] = (await store.runs.list()).runs;
    assert.equal(waited?.state, "cancelled");
    assert.equal((await store.leases.list("env:web/dev")).length, 1);
    await other.release();
  } finally {
    await store.close();
  }
});

test("components end as their steps do: done, from the cache, failed, cancelled and skipped", () => {
  const book = new ComponentBook();
  const of = (component: string) => step(component, "exec");
  book.take({ type: "plan", steps: ["done", "cached", "failed", "running", "never", ""].map(of) });
  book.take({ type: "step", step: of("done"), state: "started", started: 100 });
  book.take({ type: "step", step: of("done"), state: "done", started: 100, completed: 350 });
  book.take({ type: "step", step: of("cached"), state: "cached" });
  book.take({ type: "step", step: of("failed"), state: "error", started: 1, completed: 2, error: "exit code 4" });
  book.take({ type: "step", step: of("running"), state: "started", started: 7 });
  assert.equal(book.changes().find(({ path }) => path === "running")?.state, "running");
  assert.deepEqual(book.changes(), []);
  assert.deepEqual(
    book.final("failed").map(({ path, state, ms, error }) => [path, state, ms, error]),
    [
      ["done", "done", 250, undefined],
      ["cached", "cached", 0, undefined],
      ["failed", "failed", 1, "exit code 4"],
      ["running", "cancelled", 0, undefined],
      ["never", "skipped", 0, undefined],
    ],
  );
});
