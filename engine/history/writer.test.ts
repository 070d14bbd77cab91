// The store of a run: what goes wrong in the middle leaves nothing of it behind that others wait for.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { UserError } from "../../compiler/index.ts";
import { openShared } from "../store/shared.ts";
import { Writer } from "./writer.ts";

const dir = mkdtempSync(join(tmpdir(), "writer-"));
after(() => rmSync(dir, { recursive: true, force: true }));

test("a run that cannot be recorded any further is over, and its place is free, while others of the process go on with the store", async () => {
  const location = { file: join(dir, "store.db") };
  const other = await openShared({ location, tenant: "", now: Date.now });
  try {
    const failures: UserError[] = [];
    const fail = (): never => assert.fail("nobody else wants anything of this run");
    const writer = new Writer({
      location,
      tenant: "",
      run: { stack: "web", env: "dev", versions: { dagger: "0.1.0", cue: "v0.18.0", buildkit: "v0.32.2" }, request: {} },
      lease: { key: "env:web/dev", supersede: false },
      signal: new AbortController().signal,
      onWait: fail,
      onNotice: fail,
      onCancel: fail,
      onFail: (error) => failures.push(error),
    });
    await writer.begin();
    const [running] = (await other.runs.list()).runs;
    assert.equal(running?.state, "running");
    writer.write(() => Promise.reject(new Error("something odd")));
    let more = false;
    writer.write(async () => {
      more = true;
    });
    await writer.close();
    assert.equal(more, false);
    assert.deepEqual(
      failures.map(({ diagnostics }) => diagnostics[0]?.code),
      ["history-failed"],
    );
    const ended = await other.runs.get(running.id);
    assert.deepEqual([ended?.state, ended?.reason], ["interrupted", "closed"]);
    assert.deepEqual(await other.leases.list("env:web/dev"), []);
  } finally {
    await other.close();
  }
});
