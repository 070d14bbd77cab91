// Makes a snapshot: runs CUE in a world where time stands still, exercises it, compiles our library, and keeps what memory holds then.
import { type Exports, Instance } from "../instance.ts";
import type { Answer, Package, Request } from "../protocol.ts";
import type { World } from "../wasi.ts";
import { encodeSnapshot } from "./file.ts";
import { type Image, putImage, takeImage } from "./image.ts";
import { makeObservable, WASM_PAGE, withoutData } from "./rewrite.ts";
import { counting, split, usedFunctions } from "./split.ts";

export interface Recipe {
  /** Digest of the stamped module, as `readStamp` gives it. */
  readonly of: string;
  /** Packages that most configs import; they are compiled in the snapshot. */
  readonly packages: readonly Package[];
  /** Labels that are followed: another run that follows others cannot use the compiled packages. */
  readonly follow: readonly string[];
  /** Loads that leave CUE's own tables and builtin packages ready. They may have findings. */
  readonly exercises: readonly (readonly Package[])[];
  /** What each of some runs asks: the functions that answer it make up the core. */
  readonly runs: readonly (readonly Request[])[];
}

/** Reading a module file and its paths makes CUE set up tables that take longer than all the rest. */
const MODULE = 'module: "example.com/m@v0"\nlanguage: version: "v0.17.0"\ndeps: "example.com/d@v0": v: "v0.1.0"\n';

/** The snapshot of a module. The same module and recipe give the same bytes. */
export function makeSnapshot(wasm: Uint8Array, recipe: Recipe): Uint8Array {
  const { of, packages, follow, runs } = recipe;
  const observable = makeObservable(wasm);
  const { world, elapsed } = stillWorld();
  let exports: Exports | undefined;
  const bring = (own: Exports): void => {
    exports = own;
    own._initialize();
  };
  const instance = new Instance(new WebAssembly.Module(observable), { world, bring });
  ask(instance, { call: "module", files: [{ name: "module.cue", text: MODULE }] });
  for (const exercise of recipe.exercises) ask(instance, { call: "load", packages: exercise, fills: [], follow });
  const { findings } = ask(instance, { call: "prepare", packages, follow });
  if (findings && findings.length > 0) throw new Error(`the library does not evaluate: ${JSON.stringify(findings)}`);
  const { image, bytes } = takeImage(exports as unknown as Exports, elapsed());
  const code = withoutData(observable, image.memory);
  return encodeSnapshot(of, split(code, usedBy(runs, code, image, bytes)), image, bytes);
}

/** Numbers of the functions that answer requests of runs, each of which begins with the image. */
function usedBy(runs: Recipe["runs"], code: Uint8Array, image: Image, bytes: Uint8Array): Set<number> {
  const memory = new WebAssembly.Memory({ initial: image.memory / WASM_PAGE });
  const { world } = stillWorld(BigInt(image.elapsed));
  let exports: Exports | undefined;
  const bring = (own: Exports): void => {
    exports = own;
    putImage(own, image, bytes);
  };
  const instance = new Instance(new WebAssembly.Module(counting(code)), { world, bring, memory });
  for (const run of runs) {
    instance.renew(bring);
    for (const request of run) ask(instance, request);
  }
  return usedFunctions(exports as unknown as Exports);
}

function ask(instance: Instance, request: Request): Answer {
  const answer = JSON.parse(instance.call(request)) as Answer;
  if (answer.internal) throw new Error(`CUE failed: ${answer.internal}`);
  return answer;
}

/** Each look at the clock is a microsecond; nothing is random. */
function stillWorld(start = 0n): { world: World; elapsed: () => bigint } {
  let now = start;
  const elapsed = (): bigint => {
    now += 1000n;
    return now;
  };
  return { world: { time: () => 1_700_000_000_000_000_000n, elapsed, fillRandom: (bytes) => void bytes.fill(0x5a) }, elapsed };
}
