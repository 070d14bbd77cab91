// Measures dagger beside buildctl, BuildKit's Go client and the native cue, and writes docs/benchmarks.md. `make bench` runs it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchCompiling } from "./compiling.ts";
import { benchEvaluation } from "./evaluation.ts";
import { benchProgress } from "./progress.ts";
import { page, type Section } from "./report.ts";
import { benchStart } from "./start.ts";
import { benchTransfers } from "./transfers.ts";
import { benchWarm } from "./warm.ts";
import { createWorld, type World } from "./world.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * BENCH=start,warm runs only those parts, and prints instead of writing the page; `transfers=export` only those whose names have that word.
 * BENCH_ROUNDS says how many rounds the short ones take.
 */
const wanted = new Map((process.env["BENCH"] ?? "").split(",").map((one) => [one.split("=")[0] ?? "", one.split("=")[1] ?? ""]));
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 20);

const parts: Readonly<Record<string, (world: World) => Promise<Section>>> = {
  start: (world) => benchStart(world, rounds),
  warm: (world) => benchWarm(world, Math.ceil(rounds / 4)),
  evaluation: (world) => benchEvaluation(world, Math.ceil(rounds / 4)),
  compiling: (world) => benchCompiling(world, Math.ceil(rounds / 4)),
  transfers: (world) => benchTransfers(world, wanted.get("transfers") ?? ""),
  progress: (world) => benchProgress(world),
};

async function main(): Promise<void> {
  const all = wanted.has("");
  const world = await createWorld();
  try {
    const sections: Section[] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (!all && !wanted.has(name)) continue;
      console.error(`measuring: ${name}`);
      sections.push(await part(world));
    }
    const text = page(sections);
    if (all) writeFileSync(join(repository, "docs/benchmarks.md"), text);
    else console.log(text);
  } finally {
    await world.end();
  }
}

await main();
