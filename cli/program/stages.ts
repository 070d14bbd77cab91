// dagger ops, graph and llb.
import { type Command, Option } from "commander";
import type { ConfigFlags, Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addConfig } from "./flags.ts";

interface StageText {
  readonly name: "ops" | "graph" | "llb";
  readonly summary: string;
  readonly formats: readonly string[];
  readonly examples: readonly string[];
}

const stages: readonly StageText[] = [
  {
    name: "ops",
    summary: "Show the operations that a config's components consist of",
    formats: ["text", "json"],
    examples: ["$ dagger ops ./ci", "$ dagger ops ./ci --format json"],
  },
  {
    name: "graph",
    summary: "Show the graph that a config compiles to",
    formats: ["text", "json", "dot", "mermaid"],
    examples: ["$ dagger graph ./ci", "$ dagger graph ./ci --format dot | dot -Tsvg > graph.svg"],
  },
  {
    name: "llb",
    summary: "Show the LLB Definition that a config compiles to",
    formats: ["text", "json", "raw"],
    examples: ["$ dagger llb ./ci", "$ dagger llb ./ci --format raw | buildctl build --local src=."],
  },
];

export function addStageCommands(program: Command, context: Context): void {
  for (const stage of stages) {
    const raw = stage.name === "llb" ? "\n\nraw is the protobuf message that `buildctl build` reads from its stdin." : "";
    const command = addCommand(program, stage.name, stage.summary, `Nothing is run.${raw}`, stage.examples);
    addConfig(command)
      .addOption(new Option("--format <format>", "format on stdout").choices(stage.formats).default("text"))
      .action(async (dir: string, flags: ConfigFlags & { format: string }) => {
        const { stageCommand } = await import("../commands/stages.ts");
        await stageCommand(context, stage.name, dir, flags);
      });
  }
}
