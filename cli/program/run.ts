// dagger up and compute.
import type { Command } from "commander";
import type { Context, OutputFormat, RunFlags } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addRun } from "./flags.ts";

export function addRunCommands(program: Command, context: Context): void {
  const up = addCommand(
    program,
    "up",
    "Run a config: build everything it says, save its files, show its values",
    "The whole config becomes one graph that BuildKit runs in one pass. Steps that ran before come from the cache.",
    [
      "$ dagger up",
      "$ dagger up ./ci -t app.test -i version=1.4.0",
      "$ dagger up --secret token=env:TOKEN --progress plain",
      "$ dagger up --output json | jq .values",
    ],
  );
  addShellOnError(addOutput(addRun(up), ["text", "json", "yaml"])).action(
    async (dir: string, flags: RunFlags & { output: OutputFormat }) => {
      const { upCommand } = await import("../commands/up.ts");
      await upCommand(context, dir, flags);
    },
  );
  const compute = addCommand(
    program,
    "compute",
    "Run a config and print its values as one line of JSON",
    "Everything but that line goes to stderr.",
    ["$ dagger compute ./ci", "$ dagger compute ./ci -i version=1.4.0 | jq -r .app.digest"],
  );
  addRun(compute).action(async (dir: string, flags: RunFlags) => {
    const { computeCommand } = await import("../commands/up.ts");
    await computeCommand(context, dir, flags);
  });
}

function addShellOnError(command: Command): Command {
  return command
    .option("--keep-going", "when a component fails, still finish and save all that do not need it; the exit code is 1 all the same")
    .option("--shell-on-error", "when a command of the job fails, open a shell where it failed before the run ends; needs a terminal")
    .option("--shell <program>", "the shell that is opened; without it SHELL of the environment, bash or sh");
}
