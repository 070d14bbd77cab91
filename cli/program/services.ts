// dagger ps, logs and stop.
import type { Command } from "commander";
import type { Context, OutputFormat } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput } from "./flags.ts";

export function addServiceCommands(program: Command, context: Context): void {
  const run = async () => import("../commands/services.ts");
  const ps = addCommand(
    program,
    "ps",
    "List the services of the workspace: what they run, since when, and whether they are ready",
    "Services are started by `dagger up`, and go on after it.",
    ["$ dagger ps", "$ dagger ps --output json | jq -r '.[] | select(.status != \"ready\").name'"],
  );
  addOutput(ps).action(async (flags: { output: OutputFormat }) => (await run()).psCommand(context, flags));
  addCommand(program, "logs <name>", "Show what a service of the workspace has said", "Secrets of the run that started it are hidden.", [
    "$ dagger logs db",
    "$ dagger logs db --follow",
  ])
    .option("-f, --follow", "go on until the service ends")
    .action(async (name: string, flags: { follow?: boolean }) => (await run()).serviceLogsCommand(context, name, flags));
  const stop = addCommand(
    program,
    "stop [names...]",
    "End services of the workspace, with all that they have started",
    "Each is told to end (SIGTERM), and killed when it takes longer than its `grace`. The next `dagger up` starts it again.",
    ["$ dagger stop db", "$ dagger stop --all"],
  );
  addOutput(stop)
    .option("--all", "end all of them")
    .action(async (names: string[], flags: { all?: boolean; output: OutputFormat }) =>
      (await run()).stopServicesCommand(context, names, flags),
    );
}
