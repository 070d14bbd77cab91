// Every fuzz target for a moment, with another seed each time; `make fuzz` runs them for ten minutes.
import { after, test } from "node:test";
import { closeCue, cueTargets } from "./cue.ts";
import { Random } from "./random.ts";
import { targets } from "./targets.ts";

for (const [name, target] of Object.entries(targets)) {
  test(`broken input is survived: ${name}`, () => {
    const start = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const rounds = process.env["FUZZ_SEED"] === undefined ? 2_000 : 1;
    for (let seed = start; seed < start + rounds; seed++) {
      try {
        target(new Random(seed));
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${seed}: ${String(cause)}`, { cause });
      }
    }
  });
}

for (const [name, target] of Object.entries(cueTargets)) {
  test(`broken input is survived: ${name}`, async () => {
    const start = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const rounds = process.env["FUZZ_SEED"] === undefined ? 25 : 1;
    for (let seed = start; seed < start + rounds; seed++) {
      try {
        await target(new Random(seed));
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${seed}: ${String(cause)}`, { cause });
      }
    }
  });
}

after(closeCue);
