// CUE in dagger beside the native `cue` command of the same version: a small config, 2,000 ops, and a large tree of packages.
import { join } from "node:path";
import { chain, packageTree, tasks } from "./configs.ts";
import { type Bound, ratio, type Section, seconds, table } from "./report.ts";
import { dagger, goProgram, inTurns, type World } from "./world.ts";

export async function benchEvaluation({ dir, env }: World, rounds: number): Promise<Section> {
  const cue = goProgram("cue", "cuelang.org/go/cmd/cue");
  const configs: readonly (readonly [string, string])[] = [
    ["a chain of 3 ops", chain(join(dir, "eval-small"), 3)],
    ["2,000 ops in 200 components: definitions, comprehensions, interpolation", tasks(join(dir, "eval-large"), 2000)],
    ["120 services in 120 packages that share definitions", packageTree(join(dir, "eval-tree"), 120)],
  ];
  const cold = { ...env, DAGGER_CUE_CACHE: "off" };
  const rows: string[][] = [];
  const bounds: Bound[] = [];
  for (const [what, config] of configs) {
    const [native, anew, kept] = await inTurns(rounds, [
      { program: cue, args: ["eval", "-A", "."], cwd: config, env },
      { program: dagger, args: ["ops", config], env: cold },
      { program: dagger, args: ["ops", config], env },
    ]);
    if (!native || !anew || !kept) throw new Error("nothing was measured");
    rows.push([
      ...[what, seconds(native.wall), seconds(anew.wall), ratio(anew.wall, native.wall)],
      ...[Math.round(native.memory), Math.round(anew.memory)].map(String),
      ...[ratio(anew.memory, native.memory), seconds(kept.wall)],
    ]);
    if (what.startsWith("2,000"))
      bounds.push({ what: "2,000 ops evaluated anew, wall ratio to native cue", figure: anew.wall / native.wall, most: 4 });
  }
  const head = ["", "cue s", "dagger s", "ratio", "cue MiB", "dagger MiB", "ratio", "dagger, evaluated before: s"];
  const text = `Whole processes, ${rounds} rounds: \`cue eval -A\` prints all that it evaluated, \`dagger ops\` reads the operations out of it and prints
them. Both start, read the files and evaluate them. CUE in dagger is WebAssembly, of the code that the build let V8 optimize: the same work
takes it three to four times as long as machine code that Go's compiler made, and starting Node comes on top.\n\n${table(head, rows)}`;
  return { title: "Evaluating CUE", text, bounds };
}
