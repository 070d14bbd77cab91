// dagger plan.
import type { Command } from "commander";
import type { ConfigFlags, Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addConfig, addOutput } from "./flags.ts";

export function addPlan(program: Command, context: Context): void {
  const command = addCommand(
    program,
    "plan",
    "Tell what a run would do: what runs, what is cached, what waits for a value, and why",
    "Nothing is executed. BuildKit cannot say what it would take from its cache; with --run FILE the plan is held against a run, else it says that\nthis is not known.",
    [
      "$ dagger plan ./ci",
      "$ dagger up ./ci --progress json 2> run.jsonl; dagger plan ./ci --run run.jsonl",
      "$ dagger plan ./ci -i version=1.4.0 --out plan.json && dagger up --plan plan.json",
      "$ dagger plan ./ci --output json | jq -r '.components[] | select(.state == \"run\").path'",
    ],
  );
  addOutput(addConfig(command))
    .option("--run <file>", "what is cached as of a run: FILE is what `dagger up --progress json 2> FILE` wrote")
    .option("--out <file>", "write the plan to a file for `dagger up --plan`, which does exactly that or refuses")
    .action(async (dir: string | undefined, flags: ConfigFlags & { output: "text" | "json"; run?: string; out?: string }) => {
      const { planCommand } = await import("../commands/plan.ts");
      await planCommand(context, dir, flags);
    });
}
