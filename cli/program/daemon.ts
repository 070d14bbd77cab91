// dagger daemon and its commands: watches in the background.
import type { Command } from "commander";
import type { Context, WatchFlags } from "../context.ts";
import type { StackFlags } from "../stack.ts";
import { addCommand } from "./command.ts";
import { addOutput, addStack, whichConfig } from "./flags.ts";
import { addWatchFlags } from "./watch.ts";

export function addDaemonCommands(program: Command, context: Context): void {
  const daemon = addCommand(
    program,
    "daemon",
    "Watch a config in the background",
    "It does what `dagger watch` does, and goes on when the terminal is closed. One goes on for each environment of a stack, and for each directory.",
    ["$ dagger daemon start", "$ dagger daemon status", "$ dagger daemon logs -f", "$ dagger daemon stop"],
  );
  const run = async () => import("../commands/daemon.ts");
  addWatchFlags(
    addCommand(daemon, "start", "Start to watch in the background", "It takes the flags of `dagger watch`.", [
      "$ dagger daemon start",
      "$ dagger daemon start -s app -e staging --poll 30s",
      "$ dagger daemon start ./ci --test",
    ]),
  ).action(async (dir: string | undefined, flags: WatchFlags) => (await run()).startCommand(context, dir, flags));
  addOutput(
    addStack(
      addCommand(daemon, "status [dir]", "Show what watches go on in the workspace, what they do, and how their last run ended", "", [
        "$ dagger daemon status",
        "$ dagger daemon status --output json",
      ]),
    ),
  ).action(async (dir: string | undefined, flags: StatusFlags) => (await run()).statusCommand(context, dir, flags));
  withConfig(
    addCommand(daemon, "stop", "End a watch in the background; the run that goes on is cancelled", "", [
      "$ dagger daemon stop",
      "$ dagger daemon stop -s app -e staging",
    ]),
  ).action(async (dir: string | undefined, flags: StackFlags) => (await run()).stopCommand(context, dir, flags));
  withConfig(
    addCommand(daemon, "logs", "Show what a watch in the background printed last", "", ["$ dagger daemon logs", "$ dagger daemon logs -f"]),
  )
    .option("-f, --follow", "go on with what is added, until Ctrl-C", false)
    .action(async (dir: string | undefined, flags: StackFlags & { follow: boolean }) => (await run()).logsCommand(context, dir, flags));
}

type StatusFlags = StackFlags & { readonly output: "text" | "json" };

function withConfig(command: Command): Command {
  return addStack(command.argument("[dir]", whichConfig));
}
