// dagger stack and env, and their commands.
import type { Command } from "commander";
import type { EnvFlags, StackCommandFlags } from "../commands/stacks.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, list } from "./flags.ts";

const which = "without it DAGGER_STACK, the one chosen with `dagger stack select`, or the only one";

export function addStackCommands(program: Command, context: Context): void {
  const stack = addCommand(
    program,
    "stack",
    "Keep stacks: configs with what each of their environments sets",
    "A stack's config is a directory, a git repository at a commit, or a CUE module. It goes by its name, or by its slug, which never changes.",
    ["$ dagger stack new web --dir ./ci", "$ dagger input set -s web -e default version 1.4.0", "$ dagger up -s web -e default"],
  );
  const run = async () => import("../commands/stacks.ts");
  addOutput(
    addSourceFlags(
      addCommand(
        stack,
        "new <name>",
        "Make a stack, with an environment",
        "Where a git ref or a module's newest version is now is looked up and kept.",
        [
          "$ dagger stack new web --dir ./ci --env staging --env production",
          "$ dagger stack new tools --git https://example.com/ci.git --ref v2 --subdir tools",
          "$ dagger stack new site --module example.com/site@v0.3.1",
        ],
      ),
    ).addOption(list("--env <name>", "an environment to make; one named default without it (repeatable)")),
  ).action(async (name: string, flags: StackCommandFlags & { env?: readonly string[] }) =>
    (await run()).newStackCommand(context, name, flags),
  );
  addOutput(
    addCommand(stack, "list", "List the stacks of the workspace", "", ["$ dagger stack list", "$ dagger stack list --output json"]).alias(
      "ls",
    ),
  ).action(async (flags: StackCommandFlags) => (await run()).listStacksCommand(context, flags));
  addOutput(
    addCommand(stack, "show [name]", "Show a stack: its config, its environments, and which of them are stale and why", "", [
      "$ dagger stack show web",
    ]),
  ).action(async (name: string | undefined, flags: StackCommandFlags) => (await run()).showStackCommand(context, name, flags));
  addOutput(
    addSourceFlags(
      addCommand(stack, "edit [name]", "Change a stack's name, description or config; its slug and environments stay", "", [
        "$ dagger stack edit web --dir ./deploy",
        "$ dagger stack edit tools --update",
      ]),
    )
      .option("--name <name>", "a new name")
      .option("--update", "take what the git ref stands for now, or the newest version of the module"),
  ).action(async (name: string | undefined, flags: StackCommandFlags) => (await run()).editStackCommand(context, name, flags));
  addOutput(
    addCommand(
      stack,
      "delete <name>",
      "Delete a stack with its environments, their settings and secrets",
      "Asks first. Its config stays.",
      ["$ dagger stack delete web", "$ dagger stack delete web --yes"],
    )
      .alias("rm")
      .option("-y, --yes", "do not ask"),
  ).action(async (name: string, flags: StackCommandFlags) => (await run()).deleteStackCommand(context, name, flags));
  addOutput(
    addCommand(
      stack,
      "select <name>",
      "Choose the stack for commands that are not told, on this machine",
      "`dagger up` without a directory then runs it.",
      ["$ dagger stack select web", "$ dagger stack select web -e staging"],
    ).option("-e, --env <name>", "its environment, too"),
  ).action(async (name: string, flags: StackCommandFlags & EnvFlags) => (await run()).selectCommand(context, { stack: name, ...flags }));
}

export function addEnvCommands(program: Command, context: Context): void {
  const env = addCommand(program, "env", "Keep environments of a stack: its named instances, each with settings of its own", "", [
    "$ dagger env new -s web staging",
    "$ dagger env copy -s web staging production",
    "$ dagger env list",
  ]);
  const run = async () => import("../commands/stacks.ts");
  const add = (signature: string, summary: string, detail: string, examples: readonly string[]): Command =>
    addOutput(addCommand(env, signature, summary, detail, examples).option("-s, --stack <name>", `the stack; ${which}`));
  add("new <name>", "Make an environment", "", ["$ dagger env new staging", "$ dagger env new -s web production"]).action(
    async (name: string, flags: EnvFlags) => (await run()).newEnvCommand(context, name, flags),
  );
  add(
    "list",
    "List the environments of a stack, and which of them are stale and why",
    "An environment is stale when its settings, or the outputs of others that it takes, are not those of its last run.",
    ["$ dagger env list -s web", "$ dagger env list --output json"],
  )
    .alias("ls")
    .action(async (flags: EnvFlags) => (await run()).listEnvsCommand(context, flags));
  add("show [name]", "Show an environment and what it sets", "", ["$ dagger env show -s web staging"]).action(
    async (name: string | undefined, flags: EnvFlags) => (await run()).showEnvCommand(context, name, flags),
  );
  add("edit <name>", "Give an environment another name; its slug stays", "", ["$ dagger env edit staging --name preview"])
    .requiredOption("--name <name>", "the new name")
    .action(async (name: string, flags: EnvFlags & { name: string }) => (await run()).editEnvCommand(context, name, flags));
  add("copy <from> <to>", "Make an environment with the settings and secrets of another", "", ["$ dagger env copy staging production"])
    .alias("cp")
    .action(async (from: string, to: string, flags: EnvFlags) => (await run()).copyEnvCommand(context, from, to, flags));
  add("delete <name>", "Delete an environment with its settings and secrets", "Asks first.", ["$ dagger env delete -s web staging --yes"])
    .alias("rm")
    .option("-y, --yes", "do not ask")
    .action(async (name: string, flags: EnvFlags) => (await run()).deleteEnvCommand(context, name, flags));
  add("select <name>", "Choose the environment for commands that are not told, on this machine", "It chooses its stack, too.", [
    "$ dagger env select -s web staging",
  ]).action(async (name: string, flags: EnvFlags) => (await run()).selectCommand(context, { ...flags, env: name }));
}

function addSourceFlags(command: Command): Command {
  return command
    .option("--dir <dir>", "the config is this directory; without any of these flags the current one")
    .option("--git <remote>", "the config is in this git repository, fetched with the system's git")
    .option("--ref <ref>", "branch, tag or commit of it; HEAD without it")
    .option("--module <module[@version]>", "the config is this CUE module; its newest version without one")
    .option("--subdir <dir>", "directory of the config in the repository or module")
    .option("--description <text>", "what the stack is for")
    .option("--offline", "ask neither git servers nor registries");
}
