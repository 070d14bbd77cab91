// What showing progress costs: 300 execs in 30 components that write logs, CPU of the command line over wall time, in a terminal and plain.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBench } from "../e2e/dagger.ts";
import { measure } from "./measure.ts";

const main = fileURLToPath(new URL("../../bin/dagger", import.meta.url));
const image = '{do: "fetch-container", ref: "docker.io/library/busybox:latest"}';

/** Ten lines in half a second per exec; components side by side. */
function config(run: string): string {
  const exec = (n: number): string =>
    `\t{do: "exec", args: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do echo ${run} step ${n} line $i of some output; sleep 0.05; done"]},`;
  const component = (n: number): string =>
    `c${n}: #up: [\n\t${image},\n${Array.from({ length: 10 }, (_, i) => exec(n * 10 + i)).join("\n")}\n]`;
  return `package bench\n\n${Array.from({ length: 30 }, (_, n) => component(n)).join("\n")}\n`;
}

const bench = await startBench();
const dir = mkdtempSync(join(tmpdir(), "bench-progress-"));
try {
  const env = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, DAGGER_DATA_DIR: join(bench.dir, "data"), TERM: "xterm" };
  for (const mode of ["plain", "tty", "json"]) {
    const where = join(dir, mode);
    mkdirSync(where);
    writeFileSync(join(where, "bench.cue"), config(`${mode} ${process.pid}`));
    const args = ["up", where, "--progress", mode, "--buildkit", bench.daemon.address];
    const { wall, cpu, memory } = await measure({ program: main, args, env });
    const share = ((100 * cpu) / wall).toFixed(1);
    process.stdout.write(`${mode}: ${wall.toFixed(1)} s wall, ${cpu.toFixed(2)} s CPU (${share} % of a core), ${memory.toFixed(0)} MiB\n`);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
  await bench.end();
}
