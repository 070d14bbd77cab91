// Measures the store: lists among 100,000 runs, a million log lines of one run, opening and copying. Prints a table for docs/store.md.
import { rmSync, statSync } from "node:fs";
import { DatabaseSync } from "@photostructure/sqlite";
import type { NewLog, RunFilter, Store, StoreLocation } from "../../engine/store/index.ts";
import { startPostgres } from "../support/postgres.ts";
import { log, newRun, openTestStore, temporaryDirectory } from "../support/run-store.ts";

const runs = 100_000;
const lines = 1_000_000;

/** One run in a thousand failed; ten stacks with three environments each. Written in one statement: the store itself would take minutes. */
const fill = (numbers: string): string => `
  insert into runs (seq, id, tenant, stack, env, state, created, started, ended, token, passes, versions, request, summary, idempotency)
  select n, '0000000' || (10000000 + n), '', 'stack' || n % 10, 'env' || n / 10 % 3, case when n % 1000 = 0 then 'failed' else 'done' end,
    1700000000000 + n * 1000, 1700000000000 + n * 1000, 1700000000000 + n * 1000, n, 1, '{"dagger":"1","cue":"1","buildkit":"1"}',
    '{"targets":["app.build","app.test"],"inputs":["version=1.2.3"]}', '{"total":120,"cached":100,"run":20,"ms":5321}', 'k' || n
  from ${numbers}`;
const inSqlite = `(with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${runs}) select n from numbers)`;
const inPostgres = `generate_series(1, ${runs}) as numbers(n)`;

const filters: Record<string, RunFilter> = {
  "the newest 50": {},
  "of one environment": { stack: "stack3", env: "env1" },
  "the failed ones": { states: ["failed"] },
  "the failed or interrupted ones of an environment": { stack: "stack0", env: "env1", states: ["failed", "interrupted"] },
  "before a time, the oldest thousandth": { before: 1700000000000 + runs },
  "of a stack that there is not": { stack: "other" },
  "a page of 1000 from the middle": { cursor: String(runs / 2), limit: 1000 },
};

async function median(measure: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 11; n++) {
    const start = performance.now();
    await measure();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[5] ?? 0;
}

const say = (what: string, value: string): void => console.log(`| ${what} | ${value} |`);
const ms = (time: number): string => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

async function lists(store: Store): Promise<void> {
  for (const [what, filter] of Object.entries(filters)) say(`list: ${what}`, ms(await median(() => store.runs.list(filter))));
  const start = performance.now();
  let seen = 0;
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page = await store.runs.list({ limit: 1000, ...(cursor === "" ? {} : { cursor }) });
    seen += page.runs.length;
    cursor = page.next;
  }
  say(`all ${seen} runs in pages of 1000`, `${ms(performance.now() - start)}, process ${megabytes(process.memoryUsage.rss())}`);
}

async function chatter(store: Store): Promise<string> {
  const { run } = await store.runs.create(newRun("chatty", "dev"));
  const start = performance.now();
  let count = 0;
  while (count < lines) {
    const batch: NewLog[] = [];
    for (let n = 1; n <= 500; n++) batch.push(log(`#12 ${count + n} compiling module ${(count * 7919 + n) % 99991} of the application\n`));
    count = await store.logs.append(run, count, batch);
  }
  const took = performance.now() - start;
  let kept = 0;
  let cut = 0;
  for (let after = 0, more = true; more; ) {
    const page = await store.logs.read(run.id, { after });
    kept += page.entries.length;
    cut = Math.max(cut, page.cut?.lines ?? 0);
    [after, more] = [page.cursor, page.more];
  }
  say(`${lines} log lines, 500 at a time`, `${ms(took)}, process ${megabytes(process.memoryUsage.rss())}`);
  say("of these kept; said to be cut", `${kept}; ${cut}`);
  await store.runs.finish(run, { state: "done" });
  return run.id;
}

async function measure(location: StoreLocation): Promise<Store> {
  const store = await openTestStore(location);
  await chatter(store);
  await lists(store);
  say("a run created, durable", ms(await median(() => store.runs.create(newRun("web", "dev")))));
  return store;
}

const { dir, remove } = await temporaryDirectory();
const file = `${dir}/store.db`;
console.log("\n| SQLite | |\n|---|---|");
await (await openTestStore({ file })).close();
const database = new DatabaseSync(file);
database.exec(fill(inSqlite));
database.exec(`update counters set value = ${runs} where name in ('run', 'token')`);
database.close();
rmSync(`${file}.backup`);
const store = await measure({ file });
let start = performance.now();
await store.close();
say(`closed, with its copy of ${megabytes(statSync(file).size)}`, ms(performance.now() - start));
start = performance.now();
await (await openTestStore({ file })).close();
say("opened and closed again", ms(performance.now() - start));
await remove();

console.log("\n| PostgreSQL | |\n|---|---|");
const postgres = await startPostgres();
const url = await postgres.database();
await (await openTestStore({ url })).close();
await postgres.sql(url, `${fill(inPostgres)}; update counters set value = ${runs} where name in ('run', 'token'); analyze`);
await (await measure({ url })).close();
await postgres.stop();
