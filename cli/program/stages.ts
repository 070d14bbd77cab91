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
  readonly detail?: string;
  /** Adds flags of its own. */
  readonly more?: (command: Command) => Command;
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
    formats: ["text", "json", "dot", "mermaid", "svg", "html"],
    examples: [
      "$ dagger graph ./ci",
      "$ dagger graph ./ci --format svg > graph.svg",
      "$ dagger graph ./ci --format mermaid --level components",
      "$ dagger graph ./ci --format html --run run.jsonl > graph.html",
      "$ dagger graph --level data --format svg > data.svg",
    ],
    more: (command) =>
      command
        .addOption(
          new Option(
            "--level <level>",
            "what is drawn: every op, components with what goes between them, or the sources and nodes of a workspace",
          ).choices(["ops", "components", "data"]),
        )
        .option(
          "--run <file>",
          "show states, times and logs of a run in svg and html: FILE is what `dagger up --progress json 2> FILE` wrote",
        ),
    detail:
      "\n\nWithout --level, svg and mermaid show components when there are more than 40 ops, and everything else is about ops.\nhtml is a page of its own that loads nothing: search, zoom, and click a step for its op, line and log.",
  },
  {
    name: "llb",
    summary: "Show the LLB Definition that a config compiles to",
    formats: ["text", "json", "raw"],
    examples: ["$ dagger llb ./ci", "$ dagger llb ./ci --format raw | buildctl build --local src=."],
    detail: "\n\nraw is the protobuf message that `buildctl build` reads from its stdin.",
  },
];

export function addStageCommands(program: Command, context: Context): void {
  for (const stage of stages) {
    const { name, summary, examples, detail = "", more = (command: Command) => command } = stage;
    const command = addCommand(program, name, summary, `Nothing is run.${detail}`, examples);
    more(addConfig(command))
      .addOption(new Option("--format <format>", "format on stdout").choices(stage.formats).default("text"))
      .action(
        async (dir: string | undefined, flags: ConfigFlags & { format: string; run?: string; level?: "ops" | "components" | "data" }) => {
          const { stageCommand } = await import("../commands/stages.ts");
          await stageCommand(context, stage.name, dir, flags);
        },
      );
  }
}
