// A cached solve inside a warm process: `cuellb/client` beside a program with BuildKit's own Go client.
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildctlArgs } from "./buildctl.ts";
import { chain } from "./configs.ts";
import { type Bound, ratio, type Section, table } from "./report.ts";
import { dagger, goProgram, type World } from "./world.ts";

const child = fileURLToPath(new URL("warm-child.mjs", import.meta.url));
/** Solves per process, and how many of them warm it up: V8 goes on optimizing for some hundred of them, on cores that the daemon works on, too. */
const SOLVES = 200;
const WARMING = 100;
/** A process that is getting warm: shown beside, without a bound. */
const EARLY = [20, 50] as const;

export async function benchWarm({ dir, env, address }: World, rounds: number): Promise<Section> {
  const go = goProgram("bench-client", "./bench-client");
  const rows: string[][] = [];
  const bounds: Bound[] = [];
  for (const length of [1, 10, 100]) {
    const config = chain(join(dir, `warm-${length}`), length);
    const definition = execFileSync(dagger, ["llb", config, "--format", "raw"], { env });
    execFileSync(dagger, ["up", config, "--progress", "quiet"], { env });
    const out = join(dir, "warm-out");
    const layouts = buildctlArgs(definition, { dir: config, dataDir: join(dir, "data"), out }).flatMap((arg) => {
      const layout = /^--oci-layout=(.*)$/.exec(arg)?.[1];
      return layout === undefined ? [] : [layout];
    });
    const solves = (program: string, args: readonly string[]): number[] => {
      const { status, stdout, stderr } = spawnSync(program, args, { env, input: definition });
      if (status !== 0) throw new Error(`${program} failed: ${stderr.toString()}`);
      return JSON.parse(stdout.toString()) as number[];
    };
    const ours: number[][] = [];
    const theirs: number[][] = [];
    // What takes the daemon a moment varies by a tenth from process to process.
    const processes = length < 100 ? 2 * rounds + 2 : rounds;
    for (let round = 0; round < processes; round++) {
      const both = [
        () => ours.push(solves(process.execPath, [child, address, String(SOLVES), ...layouts])),
        () =>
          theirs.push(
            solves(go, ["-addr", address, "-rounds", String(SOLVES), "-out", out, ...layouts.flatMap((l) => ["-oci-layout", l])]),
          ),
      ];
      for (const one of round % 2 === 0 ? both : both.toReversed()) one();
    }
    const [a, b] = [middle(ours, WARMING, SOLVES), middle(theirs, WARMING, SOLVES)];
    const early = ratio(middle(ours, ...EARLY), middle(theirs, ...EARLY));
    rows.push([`chain of ${length}`, String(processes), a.toFixed(1), b.toFixed(1), ratio(a, b), early]);
    bounds.push({ what: `cached solve in a warm process, chain of ${length}, wall ratio`, figure: a / b, most: 1.1 });
  }
  const text = `Processes of ${SOLVES} cached solves each, in turns; the first ${WARMING} of each warm it up and do not count. Both only solve: the Definition is
given, a local exporter brings the result.\n\n${table(["", "processes", "cuellb/client ms", "Go client ms", "ratio", `ratio of solves ${EARLY.join(" to ")}`], rows)}`;
  return { title: "Inside a warm process", text, bounds };
}

/** Of the solves from one to another of every process. */
function middle(processes: readonly (readonly number[])[], from: number, to: number): number {
  const values = processes.flatMap((solves) => solves.slice(from, to)).sort((a, b) => a - b);
  return values[values.length >> 1] ?? Number.NaN;
}
