// Measures provenance: 100,000 recorded versions in chains and diamonds, and one datum traced through 100 steps. Prints a table for docs/data.md.
import type { DatumEdge, DatumKey, NewDatum, Store, StoreLocation } from "../../engine/store/index.ts";
import { startPostgres } from "../support/postgres.ts";
import { openTestStore, temporaryDirectory } from "../support/run-store.ts";

const versions = 100_000;
/** Computations between a datum and the sources that it comes from. */
const steps = 100;

const say = (what: string, value: string): void => console.log(`| ${what} | ${value} |`);

const version = (line: number, step: number): NewDatum => ({
  kind: "version",
  name: `source-${step}`,
  id: `sha256:${(line * steps + step).toString(16).padStart(64, "0")}`,
  state: "",
  detail: { kind: "path", location: `./source-${step}` },
});

/** One line of builds: each step takes what the one before made, and what that one took. */
function line(number: number): { data: NewDatum[]; edges: DatumEdge[] } {
  const data: NewDatum[] = [version(number, 0)];
  const edges: DatumEdge[] = [];
  for (let step = 1; step <= steps; step++) {
    const id = `${number}-${step}`.padStart(64, "0");
    const computation: NewDatum = { kind: "computation", name: `node-${step}`, id, state: "success", detail: null };
    const made = version(number, step);
    const taken: DatumKey[] = [version(number, step - 1), ...(step > 1 ? [version(number, step - 2)] : [])];
    data.push(computation, made);
    edges.push(...taken.map((parent): DatumEdge => ({ child: computation, parent, kind: "input" })));
    edges.push({ child: made, parent: computation, kind: "output" });
  }
  return { data, edges };
}

async function measure(location: StoreLocation): Promise<Store> {
  const store = await openTestStore(location);
  const start = performance.now();
  for (let number = 0; number < versions / (steps + 1); number++) {
    const { data, edges } = line(number);
    await store.lineages.record(data, edges);
  }
  say("recorded", `${Math.round((performance.now() - start) / 1000)} s`);
  const times: number[] = [];
  let seen = 0;
  for (let round = 0; round < 11; round++) {
    const begin = performance.now();
    const traced = await store.lineages.trace(version(round * 50, steps));
    times.push(performance.now() - begin);
    seen = traced?.data.length ?? 0;
  }
  const sorted = times.toSorted((a, b) => a - b);
  say(`traced through ${steps} steps to ${seen} data: median, slowest`, `${sorted[5]?.toFixed(1)} ms, ${sorted[10]?.toFixed(1)} ms`);
  return store;
}

const { dir, remove } = await temporaryDirectory();
console.log("\n| SQLite | |\n|---|---|");
await (await measure({ file: `${dir}/store.db` })).close();
await remove();

console.log("\n| PostgreSQL | |\n|---|---|");
const postgres = await startPostgres();
await (await measure({ url: await postgres.database() })).close();
await postgres.stop();
