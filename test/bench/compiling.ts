// From CUE files to LLB: time and memory by the number of ops.
import { join } from "node:path";
import { components } from "./configs.ts";
import { type Bound, type Section, seconds, table } from "./report.ts";
import { dagger, inTurns, type World } from "./world.ts";

export async function benchCompiling({ dir, env }: World, rounds: number): Promise<Section> {
  const rows: string[][] = [];
  const bounds: Bound[] = [];
  for (const ops of [250, 500, 1000, 2000]) {
    const args = ["llb", components(join(dir, `compile-${ops}`), ops), "--format", "raw"];
    const [anew, kept] = await inTurns(rounds, [
      { program: dagger, args, env: { ...env, DAGGER_CUE_CACHE: "off" } },
      { program: dagger, args, env },
    ]);
    if (!anew || !kept) throw new Error("nothing was measured");
    const perOp = ((anew.wall * 1000) / ops).toFixed(2);
    rows.push([String(ops), seconds(anew.wall), seconds(anew.cpu), String(Math.round(anew.memory)), perOp, seconds(kept.wall)]);
    if (ops === 2000) bounds.push({ what: "compiling 2,000 ops, peak MiB", figure: anew.memory, most: 300, strict: true });
  }
  const head = ["ops", "wall s", "CPU s", "peak memory MiB", "ms per op", "evaluated before: wall s"];
  const text = `From CUE files to LLB (\`dagger llb --format raw\`), components of ten ops, each using the one before. The last column is the wall time
when the config was evaluated before and has not changed.\n\n${table(head, rows)}`;
  return { title: "Compiling", text, bounds };
}
