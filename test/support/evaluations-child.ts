// Twenty evaluations in a process of their own, which prints how much memory (MiB) it has after each: argv is cue.wasm. Needs --expose-gc.
import { createEvaluator } from "../../runtime/cue/index.ts";

const [wasm] = process.argv.slice(2) as [string];

async function main(): Promise<void> {
  const evaluator = await createEvaluator({ wasm, follow: ["#up"] });
  const used: number[] = [];
  for (let round = 0; round < 20; round++) {
    // Another text each time: nothing of one is of use to the next.
    const text = `import "list"\na: {for i in list.Range(0, 3000, 1) {"x\\(i)": {y: i + ${round}, #up: [{do: "scratch"}]}}}`;
    const packages = [{ importPath: "_", name: "", own: true, version: "", files: [{ name: "a.cue", text }], imports: {} }];
    const { root } = await evaluator.load({ dir: "/", packages });
    if (root.fields.get("a")?.value.fields.size !== 3000) throw new Error("the config was not evaluated");
    gc?.();
    used.push(process.memoryUsage().rss / 2 ** 20);
  }
  await evaluator.close();
  process.stdout.write(JSON.stringify(used));
}

await main();
