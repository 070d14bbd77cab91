// dagger source push, conflicts and resolve.
import type { Command } from "commander";
import type { ResolveFlags } from "../commands/push.ts";
import type { SourceFlags } from "../commands/source.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput } from "./flags.ts";

export function addPushing(source: Command, context: Context): void {
  const run = async () => import("../commands/push.ts");
  addOutput(
    withLogin(
      addCommand(
        source,
        "push [names...]",
        "Push what nodes gave to repositories, and wait for it",
        "What a node gives is pushed by itself, and again when a repository could not be reached. This does it at once, also for sources that are paused.",
        ["$ dagger source push", "$ dagger source push site"],
      ),
    ),
  ).action(async (names: string[], flags: SourceFlags) => (await run()).pushCommand(context, names, flags));
  addOutput(
    addCommand(
      source,
      "conflicts [names...]",
      "List what nodes gave to repositories that these do not have yet, and why",
      "What waits is pushed by itself; a conflict waits for `dagger source resolve`.",
      ["$ dagger source conflicts", "$ dagger source conflicts site --output json"],
    ),
  ).action(async (names: string[], flags: SourceFlags) => (await run()).conflictsCommand(context, names, flags));
  addOutput(
    withLogin(
      addCommand(
        source,
        "resolve <name>",
        "Say what becomes of what nodes gave to a source that had changed meanwhile",
        "All conflicts of the source end in this way, the oldest first.",
        [
          "$ dagger source resolve site --ours",
          "$ dagger source resolve site --branch",
          "$ dagger source resolve site --commit 3dd2cc1db51828a643237c39d5ed76bb066bcad8",
        ],
      ),
    )
      .option("--ours", "files that the node gave count")
      .option("--theirs", "files that have changed meanwhile stay")
      .option("--merge", "lines are merged, where that can be done")
      .option("--branch", "push it to a branch of its own")
      .option(
        "--commit <commit>",
        "a commit that somebody made has what is meant; it goes on from what the source has, and is on a branch of it",
      )
      .option("--drop", "give up what the node gave"),
  ).action(async (name: string, flags: ResolveFlags) => (await run()).resolveCommand(context, name, flags));
}

function withLogin(command: Command): Command {
  return command.option("--allow-host", "credentials may come from programs on this machine (cmd:)");
}
