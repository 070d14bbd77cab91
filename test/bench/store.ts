// Measures the store: lists among 100,000 runs, a million log lines of one run, opening and copying. Prints a table for docs/store.md.
import { statSync } from "node:fs";
import type { RunFilter, Store, StoreLocation } from "../../engine/store/index.ts";
import { startPostgres } from "../support/postgres.ts";
import { newRun, openTestStore, temporaryDirectory } from "../support/run-store.ts";
import { chatter, fill, lines, makeFullStore, runs } from "./load.ts";

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

async function measure(location: StoreLocation): Promise<Store> {
  const store = await openTestStore(location);
  const { took, kept, cut } = await chatter(store);
  say(`${lines} log lines, 500 at a time`, `${ms(took)}, process ${megabytes(process.memoryUsage.rss())}`);
  say("of these kept; said to be cut", `${kept}; ${cut}`);
  await lists(store);
  say("a run created, durable", ms(await median(() => store.runs.create(newRun("web", "dev")))));
  return store;
}

const { dir, remove } = await temporaryDirectory();
const file = `${dir}/store.db`;
console.log("\n| SQLite | |\n|---|---|");
await makeFullStore(file);
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
await postgres.sql(url, `${fill(inPostgres)} analyze`);
await (await measure({ url })).close();
await postgres.stop();
