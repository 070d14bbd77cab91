// Runs the fuzz targets one after the other, again and again: FUZZ_SECONDS (600) long. Ends with exit code 1 and the seed at the first failure.
import { Random } from "./random.ts";
import { targets } from "./targets.ts";

const end = Date.now() + Number(process.env["FUZZ_SECONDS"] ?? 600) * 1000;
let seed = Math.floor(Math.random() * 2 ** 31);
let rounds = 0;
while (Date.now() < end) {
  for (const [name, target] of Object.entries(targets)) {
    for (let i = 0; i < 1000; i++, rounds++) {
      try {
        target(new Random(++seed));
      } catch (error) {
        console.error(`${name}: FUZZ_SEED=${seed}\n${error instanceof Error ? error.stack : String(error)}`);
        process.exit(1);
      }
    }
  }
}
console.log(`${rounds} rounds of ${Object.keys(targets).length} targets, no failure; the last seed was ${seed}`);
