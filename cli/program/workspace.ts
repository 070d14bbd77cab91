// dagger init and dagger clone.
import type { Command } from "commander";
import type { CloneFlags, InitFlags } from "../commands/workspace.ts";
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
  addTokens(
    init
      .argument("[dir]", "directory that becomes a workspace; it is made when it is not there", ".")
      .option("--template <name>", "copy a config to start from, which replaces no file")
      .option("--templates", "only list the templates"),
  ).action(async (dir: string, flags: InitFlags) => {
    const { initCommand } = await import("../commands/workspace.ts");
    await initCommand(context, dir, flags);
  });
}

export function addClone(program: Command, context: Context): void {
  addTokens(
    addCommand(
      program,
      "clone <repository> [dir]",
      "Clone a git repository that has a workspace, and make it ready",
      "REPOSITORY is an address as git takes it, or USER/REPOSITORY of GitHub.",
      ["$ dagger clone https://example.com/shop.git", "$ dagger clone docker/pinata --github-token env:GITHUB_TOKEN"],
    ),
  ).action(async (repository: string, dir: string | undefined, flags: CloneFlags) =>
    (await import("../commands/workspace.ts")).cloneCommand(context, repository, dir, flags),
  );
}

function addTokens(command: Command): Command {
  return addOutput(
    command
      .option(
        "--github-token <token>",
        "token for GitHub: - reads it from stdin, env:NAME, file:PATH or cmd:COMMAND say where it is; kept encrypted",
      )
      .option("--docker-token <login>", "USER:TOKEN for Docker Hub, or USER:env:NAME and so on; - reads it from stdin"),
  );
}
