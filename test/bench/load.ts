// Much of what a store keeps, for benchmarks: 100,000 runs, and a run that writes a million lines.
import { rmSync } from "node:fs";
import { DatabaseSync } from "@photostructure/sqlite";
import type { NewLog, Store } from "../../engine/store/index.ts";
import { log, newRun, openTestStore } from "../support/run-store.ts";

export const runs = 100_000;
export const lines = 1_000_000;

/** One run in a thousand failed; ten stacks with three environments each. Written in one statement: the store itself would take minutes. */
export const fill = (numbers: string): string => `
  insert into runs (seq, id, tenant, stack, env, state, created, started, ended, token, passes, versions, request, summary, idempotency)
  select n, '0000000' || (10000000 + n), '', 'stack' || n % 10, 'env' || n / 10 % 3, case when n % 1000 = 0 then 'failed' else 'done' end,
    1700000000000 + n * 1000, 1700000000000 + n * 1000, 1700000000000 + n * 1000, n, 1, '{"dagger":"1","cue":"1","buildkit":"1"}',
    '{"targets":["app.build","app.test"],"inputs":["version=1.2.3"]}', '{"total":120,"cached":100,"run":20,"ms":5321}', 'k' || n
  from ${numbers};
  update counters set value = ${runs} where name in ('run', 'token');`;

const inSqlite = `(with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${runs}) select n from numbers)`;

/** Makes a SQLite store with 100,000 runs, and no backup of it. */
export async function makeFullStore(file: string): Promise<void> {
  await (await openTestStore({ file })).close();
  const database = new DatabaseSync(file);
  database.exec(fill(inSqlite));
  database.close();
  rmSync(`${file}.backup`);
}

export interface Chatter {
  /** Milliseconds that writing took. */
  readonly took: number;
  /** Lines that are there, and that the store says are not. */
  readonly kept: number;
  readonly cut: number;
  /** Bytes of the lines that are there. */
  readonly bytes: number;
}

/** A run that writes a million lines, 500 at a time. */
export async function chatter(store: Store): Promise<Chatter> {
  const { run } = await store.runs.create(newRun("chatty", "dev"));
  const start = performance.now();
  let count = 0;
  while (count < lines) {
    const batch: NewLog[] = [];
    for (let n = 1; n <= 500; n++) batch.push(log(`#12 ${count + n} compiling module ${(count * 7919 + n) % 99991} of the application\n`));
    count = await store.logs.append(run, count, batch);
  }
  const took = performance.now() - start;
  let [kept, cut, bytes] = [0, 0, 0];
  for (let after = 0, more = true; more; ) {
    const page = await store.logs.read(run.id, { after });
    kept += page.entries.length;
    bytes += page.entries.reduce((sum, { data }) => sum + data.length, 0);
    cut = Math.max(cut, page.cut?.lines ?? 0);
    [after, more] = [page.cursor, page.more];
  }
  await store.runs.finish(run, { state: "done" });
  return { took, kept, cut, bytes };
}
