// Writes into a store of runs without end, and says on stdout what was acknowledged: tests kill it at any moment.
import { writeSync } from "node:fs";
import type { StoreLocation } from "../../engine/store/index.ts";
import { log, newRun, openTestStore } from "./run-store.ts";

/** What a line of stdout says. */
export interface Acknowledged {
  readonly run: string;
  readonly logs: number;
  readonly state: "queued" | "running" | "done";
}

async function writeForever(location: StoreLocation): Promise<void> {
  const store = await openTestStore(location);
  // Written at once: a line that the killed process had in memory would say nothing.
  const say = (line: Acknowledged): void => void writeSync(1, `${JSON.stringify(line)}\n`);
  for (;;) {
    const { run } = await store.runs.create(newRun("web", `of-${process.pid}`));
    say({ run: run.id, logs: 0, state: "queued" });
    const running = await store.runs.start(run);
    say({ run: run.id, logs: 0, state: "running" });
    for (let logs = 0; logs < 10; ) {
      logs = await store.logs.append(running, logs, [log(`line ${logs + 1}\n`), log(`line ${logs + 2}\n`)]);
      say({ run: run.id, logs, state: "running" });
      await store.components.put(running, [{ path: "app", state: "running", steps: logs, cached: 0, ms: 0 }]);
    }
    await store.blobs.put(running, Buffer.from(`config of ${run.id}`));
    await store.outputs.put(running, [{ component: "app", value: run.id, provenance: null }]);
    await store.runs.finish(running, { state: "done" });
    say({ run: run.id, logs: 10, state: "done" });
  }
}

await writeForever(JSON.parse(process.argv[2] ?? "") as StoreLocation);
