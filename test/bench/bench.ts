// Measures dagger beside buildctl, BuildKit's Go client and the native cue, into dist/benchmarks.md. `make bench` runs it.
import { mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchCompiling } from "./compiling.ts";
import { benchEvaluation } from "./evaluation.ts";
import { benchHistory } from "./history.ts";
import { benchProgress } from "./progress.ts";
import { page, type Section } from "./report.ts";
import { benchSchedule } from "./schedule.ts";
import { benchStart } from "./start.ts";
import { benchTransfers } from "./transfers.ts";
import { benchWarm } from "./warm.ts";
import { benchWatch } from "./watch.ts";
import { createWorld, type World } from "./world.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * BENCH=start,warm runs only those parts; `transfers=export` only those whose names have that word. BENCH_ROUNDS says how many rounds the
 * short ones take. PAGE=1 writes docs/benchmarks.md, too, when all parts ran.
 */
const wanted = new Map((process.env["BENCH"] ?? "").split(",").map((one) => [one.split("=")[0] ?? "", one.split("=")[1] ?? ""]));
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 20);

interface Part {
  readonly run: (world: World) => Promise<Section>;
  /** GiB that it needs for temporary files and the daemon's. */
  readonly room: number;
}

const parts: Readonly<Record<string, Part>> = {
  start: { run: (world) => benchStart(world, rounds), room: 1 },
  warm: { run: (world) => benchWarm(world, Math.ceil(rounds / 4)), room: 1 },
  watch: { run: (world) => benchWatch(world, rounds), room: 1 },
  schedule: { run: (world) => benchSchedule(world, Math.ceil(rounds / 4)), room: 1 },
  evaluation: { run: (world) => benchEvaluation(world, Math.ceil(rounds / 4)), room: 1 },
  compiling: { run: (world) => benchCompiling(world, Math.ceil(rounds / 4)), room: 1 },
  history: { run: (world) => benchHistory(world, rounds), room: 2 },
  transfers: { run: (world) => benchTransfers(world, wanted.get("transfers") ?? ""), room: 25 },
  progress: { run: (world) => benchProgress(world), room: 1 },
};

const all = wanted.has("");
const chosen = Object.entries(parts).filter(([name]) => all || wanted.has(name));

/** A daemon collects garbage when its disk fills up, and the figures would be of that; or the disk is full when most is measured. */
function checkRoom(): void {
  const needed = Math.max(...chosen.map(([, { room }]) => room));
  const { bavail, bsize } = statfsSync(tmpdir());
  const free = Math.floor((bavail * bsize) / 2 ** 30);
  if (free < needed)
    throw new Error(`${tmpdir()} has ${free} GiB left, and these parts need ${needed}: BENCH=start,history runs only some`);
}

async function main(): Promise<void> {
  if (chosen.length === 0) throw new Error(`BENCH is none of ${Object.keys(parts).join(", ")}`);
  checkRoom();
  const file = join(repository, "dist/benchmarks.md");
  mkdirSync(join(repository, "dist"), { recursive: true });
  const world = await createWorld();
  const sections: Section[] = [];
  try {
    for (const [name, { run }] of chosen) {
      console.error(`measuring: ${name}`);
      sections.push(await run(world));
      // After each part: a run that ends early keeps what it measured.
      writeFileSync(file, page(sections));
    }
  } finally {
    await world.end();
  }
  console.log(page(sections));
  if (process.env["PAGE"] !== undefined && all) writeFileSync(join(repository, "docs/benchmarks.md"), page(sections));
  else console.error(`written: ${file}`);
}

await main();
