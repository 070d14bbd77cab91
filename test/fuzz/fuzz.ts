// Runs the fuzz targets one after the other, again and again: FUZZ_SECONDS (600) long. Ends with exit code 1 and the seed at the first failure.
import { closeCue, cueTargets } from "./cue.ts";
import { Random } from "./random.ts";
import { targets } from "./targets.ts";

/** A round of CUE takes some thousand times as long as one of the others. */
const all: readonly { readonly name: string; readonly run: (random: Random) => void | Promise<void>; readonly times: number }[] = [
  ...Object.entries(targets).map(([name, run]) => ({ name, run, times: 1000 })),
  ...Object.entries(cueTargets).map(([name, run]) => ({ name, run, times: 20 })),
];

const end = Date.now() + Number(process.env["FUZZ_SECONDS"] ?? 600) * 1000;
let seed = Math.floor(Math.random() * 2 ** 31);
let rounds = 0;
while (Date.now() < end) {
  for (const { name, run, times } of all) {
    for (let i = 0; i < times; i++, rounds++) {
      try {
        await run(new Random(++seed));
      } catch (error) {
        console.error(`${name}: FUZZ_SEED=${seed}\n${error instanceof Error ? error.stack : String(error)}`);
        process.exit(1);
      }
    }
  }
}
await closeCue();
console.log(`${rounds} rounds of ${all.length} targets, no failure; the last seed was ${seed}`);
