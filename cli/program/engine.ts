// dagger engine and its commands.
import type { Command } from "commander";
import type { Context, OutputFormat } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput } from "./flags.ts";

export function addEngineCommands(program: Command, context: Context): void {
  const engine = addCommand(
    program,
    "engine",
    "Control the embedded BuildKit daemon",
    "It is started when it is needed, and shared by all runs.",
    ["$ dagger engine status", "$ dagger engine stop"],
  );
  const run = async () => import("../commands/engine.ts");
  addOutput(
    addCommand(engine, "start", "Start the daemon, or find it running", "", [
      "$ dagger engine start",
      "$ BUILDKIT_HOST=$(dagger engine start) buildctl debug workers",
    ]),
  ).action(async (flags: { output: OutputFormat }) => (await run()).startCommand(context, flags));
  addOutput(addCommand(engine, "stop", "Stop the daemon; its cache stays", "", ["$ dagger engine stop"])).action(
    async (flags: { output: OutputFormat }) => (await run()).stopCommand(context, flags),
  );
  addOutput(
    addCommand(engine, "status", "Show whether the daemon runs, and where its things are", "", [
      "$ dagger engine status",
      "$ dagger engine status --output json",
    ]),
  ).action(async (flags: { output: OutputFormat }) => (await run()).statusCommand(context, flags));
  addCommand(engine, "logs", "Show the daemon's log", "", ["$ dagger engine logs", "$ dagger engine logs -f"])
    .option("-f, --follow", "go on with what is added, until Ctrl-C", false)
    .action(async (flags: { follow: boolean }) => (await run()).logsCommand(context, flags));
}
