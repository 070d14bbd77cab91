// What showing progress costs: 300 execs in 30 components that write logs, CPU of the command line over wall time.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure, type Sample } from "./measure.ts";
import { type Bound, type Section, seconds, table } from "./report.ts";
import { dagger, type World } from "./world.ts";

const image = '{do: "fetch-container", ref: "docker.io/library/busybox:latest"}';

const rounds = 3;

/** Ten lines in half a second per exec; components side by side. */
function config(run: string): string {
  const exec = (n: number): string =>
    `\t{do: "exec", args: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do echo ${run} step ${n} line $i of some output; sleep 0.05; done"]},`;
  const component = (n: number): string =>
    `c${n}: #up: [\n\t${image},\n${Array.from({ length: 10 }, (_, i) => exec(n * 10 + i)).join("\n")}\n]`;
  return `package bench\n\n${Array.from({ length: 30 }, (_, n) => component(n)).join("\n")}\n`;
}

export async function benchProgress({ dir, env }: World): Promise<Section> {
  const rows: string[][] = [];
  const bounds: Bound[] = [];
  for (const mode of ["plain", "tty", "json"]) {
    const where = join(dir, `progress-${mode}`);
    mkdirSync(where);
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round++) {
      writeFileSync(join(where, "bench.cue"), config(`${mode} ${round}`));
      samples.push(await measure({ program: dagger, args: ["up", where, "--progress", mode], env: { ...env, TERM: "xterm" } }));
    }
    const { wall, cpu, memory } = samples.sort((a, b) => a.cpu / a.wall - b.cpu / b.wall)[rounds >> 1] as Sample;
    const share = (100 * cpu) / wall;
    rows.push([mode, seconds(wall), seconds(cpu), share.toFixed(1), String(Math.round(memory))]);
    if (mode !== "json")
      bounds.push({ what: `300 execs in 30 components, ${mode} progress, % of a core`, figure: share, most: 10, strict: true });
  }
  const head = ["progress", "wall s", "CPU s", "% of a core", "peak MiB"];
  return {
    title: "Progress",
    text: `300 execs in 30 components, ten lines of logs each; of ${rounds} runs the middle one by its share of a core.\n\n${table(head, rows)}`,
    bounds,
  };
}
