// dagger lock and its commands.
import type { Command } from "commander";
import type { LockFlags } from "../commands/lock.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput, addReading, addStack, list } from "./flags.ts";

const daemon = "BuildKit daemon that is asked, instead of the one that a run would use";

export function addLockCommands(program: Command, context: Context): void {
  const lock = addCommand(
    program,
    "lock",
    "Write down what images, git refs and addresses stand for, so that every run takes the same",
    "dagger.lock lies beside cue.mod and belongs into version control. Runs use it when it is there; with --locked they need it.",
    ["$ dagger lock update ./ci", "$ dagger lock check ./ci", "$ dagger up ./ci --locked"],
  );
  const update = addCommand(
    lock,
    "update [dir] [names...]",
    "Write dagger.lock anew, or only what is named in it",
    "Without a directory it is the config of the chosen stack, else that of the current directory. Names are images (alpine, docker.io/library/alpine:3.20), git refs (REMOTE#REF) and addresses. Nothing is run.",
    ["$ dagger lock update", "$ dagger lock update ./ci alpine"],
  );
  addFlags(update).action(async (dir: string | undefined, names: readonly string[], flags: LockFlags) => {
    const { lockUpdateCommand } = await import("../commands/lock.ts");
    await lockUpdateCommand(context, dir, names, flags);
  });
  const check = addCommand(
    lock,
    "check [dir]",
    "Tell what has moved since it was locked, is not locked, or is not fetched any more",
    "Exits with 1 when there is anything to tell. Nothing is written or run.",
    ["$ dagger lock check", "$ dagger lock check ./ci --output json"],
  );
  addFlags(check).action(async (dir: string | undefined, flags: LockFlags) => {
    const { lockCheckCommand } = await import("../commands/lock.ts");
    await lockCheckCommand(context, dir, flags);
  });
}

function addFlags(command: Command): Command {
  addStack(addReading(command))
    .addOption(
      list(
        "--secret <id=source>",
        "secret for private repositories: ID=env:NAME, ID=file:PATH, ID=age:NAME, ID=vault:PATH#FIELD, ID=connector:NAME.SECRET or ID=cmd:COMMAND (repeatable)",
      ),
    )
    .option("--allow-host", "let commands run on this machine that secrets come from")
    .addOption(list("--ssh <id[=path]>", "SSH agent for private repositories, as for a run (repeatable)"));
  return addOutput(addDaemon(command, daemon));
}
