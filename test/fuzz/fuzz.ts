// Runs the fuzz targets in turn, again and again: FUZZ_SECONDS (600) long, or only those whose name has FUZZ_TARGET in it. Exit code 1 and the seed at the first failure.
import { closeCue, cueTargets } from "./cue.ts";
import { Random } from "./random.ts";
import { targets } from "./targets.ts";

/** A round of CUE takes some thousand times as long as one of the others. */
const all: readonly { readonly name: string; readonly run: (random: Random) => void | Promise<void>; readonly times: number }[] = [
  ...Object.entries(targets).map(([name, run]) => ({ name, run, times: 1000 })),
  ...Object.entries(cueTargets).map(([name, run]) => ({ name, run, times: 20 })),
];
const wanted = all.filter(({ name }) => name.includes(process.env["FUZZ_TARGET"] ?? ""));
if (wanted.length === 0) throw new Error(`FUZZ_TARGET is part of none of: ${all.map(({ name }) => name).join("; ")}`);

const end = Date.now() + Number(process.env["FUZZ_SECONDS"] ?? 600) * 1000;
let seed = Math.floor(Math.random() * 2 ** 31);
const rounds = new Map<string, number>();
while (Date.now() < end) {
  for (const { name, run, times } of wanted) {
    for (let i = 0; i < times; i++) {
      try {
        await run(new Random(++seed));
      } catch (error) {
        console.error(`${name}: FUZZ_SEED=${seed}\n${error instanceof Error ? error.stack : String(error)}`);
        process.exit(1);
      }
    }
    rounds.set(name, (rounds.get(name) ?? 0) + times);
  }
}
await closeCue();
for (const [name, count] of rounds) console.log(`${count} rounds: ${name}`);
console.log(`no failure; the last seed was ${seed}`);
