// What it costs that runs are remembered: a cached job with and without, a list among 100,000 runs, a run that writes a million lines.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { openTestStore } from "../support/run-store.ts";
import { chain } from "./configs.ts";
import { chatter, lines, makeFullStore, runs } from "./load.ts";
import { median, type Run, type Sample } from "./measure.ts";
import { type Bound, milliseconds, type Section, table } from "./report.ts";
import { dagger, inTurns, samplesInTurns, type World } from "./world.ts";

/** Milliseconds that a cached `up` may take longer when it is recorded, and that listing among 100,000 runs may take. */
const RECORDING = 25;
const LIST = 200;
/** MiB of the lines of one run that are kept. */
const KEPT = 32;

export async function benchHistory(world: World, rounds: number): Promise<Section> {
  const recording = await benchRecording(world, Math.max(40, rounds));
  const listing = await benchList(world, rounds);
  const chatty = await benchChatter(world);
  const parts = [recording, listing, chatty];
  return { title: "History", text: parts.map(({ text }) => text).join("\n\n"), bounds: parts.flatMap(({ bounds }) => bounds) };
}

interface Part {
  readonly text: string;
  readonly bounds: readonly Bound[];
}

async function benchRecording({ dir, env }: World, rounds: number): Promise<Part> {
  const rows: string[][] = [];
  const bounds: Bound[] = [];
  for (const length of [1, 10, 100]) {
    const alone = chain(join(dir, `not-recorded-${length}`), length);
    const workspace = join(dir, `recorded-${length}`);
    execFileSync(dagger, ["init", workspace], { env });
    const within = chain(join(workspace, "config"), length);
    const [without = [], recorded = []] = await samplesInTurns(
      rounds,
      [alone, within].map((config) => up(config, env)),
    );
    const more = median(
      recorded.map((sample, round): Sample => {
        const { wall = 0, cpu = 0, memory = 0 } = without[round] ?? {};
        return { wall: sample.wall - wall, cpu: sample.cpu - cpu, memory: sample.memory - memory };
      }),
    );
    const [plain, kept] = [median(without), median(recorded)];
    const pairs = [plain, kept, more].flatMap(({ wall, cpu }) => [milliseconds(wall), milliseconds(cpu)]);
    rows.push([`cached chain of ${length}`, ...pairs]);
    bounds.push({ what: `recording a cached chain of ${length}, ms more`, figure: more.wall * 1000, most: RECORDING });
  }
  const head = ["", "without: wall ms", "CPU ms", "recorded: wall ms", "CPU ms", "more: wall ms", "CPU ms"];
  const text = `The same cached job outside of a workspace and in one, where it is recorded, in turns, ${rounds} rounds${raised() ? ", before what else the machine does" : ""}. "More" is the
median of what each round's two differ by.\n\n${table(head, rows)}`;
  return { text, bounds };
}

function up(config: string, env: World["env"]): Run {
  const args = ["up", config, "--progress", "quiet"];
  return raised() ? { program: "chrt", args: ["-r", "10", dagger, ...args], env } : { program: dagger, args, env };
}

/** Whether a program may be run before all others: a busy machine is then busy for it no more. */
function raised(): boolean {
  return spawnSync("chrt", ["-r", "10", "true"]).status === 0;
}

async function benchList({ dir, env }: World, rounds: number): Promise<Part> {
  const workspace = join(dir, "listed");
  execFileSync(dagger, ["init", workspace], { env });
  const state = join(workspace, ".dagger/state");
  mkdirSync(state, { recursive: true });
  await makeFullStore(join(state, "store.db"));
  const commands = [
    ["history", "list"],
    ["history", "list", "-s", "stack3", "-e", "env1"],
    ["history", "list", "--state", "failed"],
  ];
  const samples = await inTurns(
    rounds,
    commands.map((args): Run => ({ program: dagger, args, env, cwd: workspace })),
  );
  const rows = commands.map((args, i) => {
    const { wall = 0, cpu = 0, memory = 0 } = samples[i] ?? {};
    return [`\`dagger ${args.join(" ")}\``, milliseconds(wall), milliseconds(cpu), String(Math.round(memory))];
  });
  const slowest = Math.max(...samples.map(({ wall }) => wall));
  const text = `Whole commands in a workspace with ${runs.toLocaleString("en")} runs.\n\n${table(["", "wall ms", "CPU ms", "peak MiB"], rows)}`;
  return { text, bounds: [{ what: "`history list` among 100,000 runs, ms", figure: slowest * 1000, most: LIST, strict: true }] };
}

async function benchChatter({ dir }: World): Promise<Part> {
  const file = join(dir, "chatty", "store.db");
  const store = await openTestStore({ file });
  const before = process.memoryUsage.rss();
  const { took, kept, cut, bytes } = await chatter(store);
  const memory = (process.memoryUsage.rss() - before) / 2 ** 20;
  await store.close();
  const size = statSync(file).size / 2 ** 20;
  rmSync(join(dir, "chatty"), { recursive: true });
  const text = `A run that writes ${lines.toLocaleString("en")} lines: all were written in ${(took / 1000).toFixed(1)} s, ${((took / lines) * 1000).toFixed(1)} µs a line. ${kept.toLocaleString("en")} lines (${(bytes / 2 ** 20).toFixed(0)} MiB) are kept,
${cut.toLocaleString("en")} are said to be missing; the store has ${size.toFixed(0)} MiB, and the process grew by ${Math.max(0, memory).toFixed(0)} MiB.`;
  return { text, bounds: [{ what: "1,000,000 log lines of one run, MiB that are kept", figure: bytes / 2 ** 20, most: KEPT }] };
}
