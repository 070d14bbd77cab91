// dagger init.
import type { Command } from "commander";
import type { InitFlags } from "../commands/workspace.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput } from "./flags.ts";

export function addInit(program: Command, context: Context): void {
  const init = addCommand(
    program,
    "init",
    "Make a workspace: the place where stacks, environments and settings are kept",
    "It is the directory .dagger, meant for version control but for .dagger/state, and is found from every directory below.",
    ["$ dagger init", "$ dagger init shop --template hello", "$ dagger init --templates"],
  );
  addOutput(
    init
      .argument("[dir]", "directory that becomes a workspace; it is made when it is not there", ".")
      .option("--template <name>", "copy a config to start from, which replaces no file")
      .option("--templates", "only list the templates"),
  ).action(async (dir: string, flags: InitFlags) => {
    const { initCommand } = await import("../commands/workspace.ts");
    await initCommand(context, dir, flags);
  });
}
