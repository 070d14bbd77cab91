// How long dagger needs before it can work: bare Node, buildctl, dagger with an evaluation kept, evaluated anew, and without machine code.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { builtBinary } from "../support/buildkitd.ts";
import { buildctlArgs } from "./buildctl.ts";
import { chain } from "./configs.ts";
import type { Run } from "./measure.ts";
import { type Bound, milliseconds, type Section, table } from "./report.ts";
import { dagger, inTurns, type World } from "./world.ts";

/** Seconds that a warm `dagger up` may take above buildctl and Node's own start, and that evaluating may add. */
const WARM = 0.025;
const ANEW = 0.06;
const ANEW_WITHOUT_CODE = 0.1;

export async function benchStart({ dir, env, address }: World, rounds: number): Promise<Section> {
  const config = chain(join(dir, "start"), 3);
  const definition = execFileSync(dagger, ["llb", config, "--format", "raw"], { env });
  const args = buildctlArgs(definition, { dir: config, dataDir: join(dir, "data"), out: join(dir, "start-out") });
  const up = (more: Record<string, string>): Run => ({
    program: dagger,
    args: ["up", config, "--progress", "quiet"],
    env: { ...env, ...more },
  });
  const anewEnv = { DAGGER_CUE_CACHE: "off" };
  const samples = await inTurns(rounds, [
    { program: process.execPath, args: ["-e", "0"], env },
    { program: builtBinary("buildctl"), args: ["--addr", address, ...args], env, stdin: definition },
    up({}),
    up(anewEnv),
    up({ ...anewEnv, DAGGER_CUE_CODE: "off" }),
    up({ DAGGER_DAEMON_HISTORY: "on" }),
  ]);
  const names = ["node, an empty script", "buildctl, the same LLB", "dagger up, evaluated before", "dagger up, evaluated anew"];
  const rows = [
    ...names,
    "dagger up, evaluated anew, without kept machine code",
    "dagger up, evaluated before, with a record in the daemon's history as buildctl has one",
  ].map((name, i) => {
    const { wall = 0, cpu = 0, memory = 0 } = samples[i] ?? {};
    return [name, milliseconds(wall), milliseconds(cpu), String(Math.round(memory))];
  });
  const [node = 0, buildctl = 0, kept = 0, anew = 0, plain = 0] = samples.map(({ wall }) => wall);
  const bounds: Bound[] = [
    { what: "warm `dagger up` above buildctl and the start of Node, ms", figure: (kept - buildctl - node) * 1000, most: WARM * 1000 },
    { what: "evaluating a small config anew, ms", figure: (anew - kept) * 1000, most: ANEW * 1000 },
    { what: "the same without kept machine code, ms", figure: (plain - kept) * 1000, most: ANEW_WITHOUT_CODE * 1000 },
  ];
  const text = `A job of three cached steps, ${rounds} rounds.\n\n${table(["", "wall ms", "CPU ms", "peak MiB"], rows)}`;
  return { title: "Start", text, bounds };
}
