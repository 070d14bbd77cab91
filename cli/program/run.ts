// dagger up and compute.
import type { Command } from "commander";
import type { ComputeFlags, Context, OutputFormat, RunFlags } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addRun, list } from "./flags.ts";

export function addUp(program: Command, context: Context): void {
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
  addShellOnError(addOutput(addRun(up), ["text", "json", "yaml"]))
    .option(
      "--plan <file>",
      "run what `dagger plan --out` wrote, or refuse when anything is not as it was; the plan says which config it is of",
    )
    .option("--with-dependencies", "first run the environments whose outputs it takes, as far as they are not up to date")
    .action(async (dir: string | undefined, flags: RunFlags & { output: OutputFormat }) => {
      const { upCommand } = await import("../commands/up.ts");
      await upCommand(context, dir, flags);
    });
}

export function addCompute(program: Command, context: Context): void {
  const compute = addCommand(
    program,
    "compute",
    "Run a config and print its values as one line of JSON",
    "Everything but that line goes to stderr. What misses a value is left undone, with a warning; `up` never does that.",
    [
      "$ dagger compute ./ci | jq -r .app.digest",
      "$ dagger compute ./ci --input-string version=1.4.0 --input-dir source=./app",
      "$ dagger compute ./ci --input-git source=https://example.com/app.git,main,src",
      "$ dagger compute ./ci --input-yaml values.yaml --strict",
    ],
  );
  addTypedInputs(addRun(compute))
    .option("--strict", "a value that nothing gives is an error, as in `up`")
    .action(async (dir: string | undefined, flags: ComputeFlags) => {
      const { computeCommand } = await import("../commands/compute.ts");
      await computeCommand(context, dir, flags);
    });
}

/** Inputs by their kind. */
export function addTypedInputs(command: Command): Command {
  return command
    .addOption(list("--input-string <path=text>", "text for a CUE path, taken as it is (repeatable)"))
    .addOption(list("--input-dir <path=dir>", "directory of this machine for an artifact of the config (repeatable)"))
    .addOption(list("--input-file <path=file>", "the text of a file for a CUE path (repeatable)"))
    .addOption(list("--input-git <path=remote>", "repository for an artifact, as REMOTE[,REF[,SUBDIR]] (repeatable)"))
    .addOption(list("--input-json <file>", "values for the fields of the config, or below a path with PATH=FILE (repeatable)"))
    .addOption(list("--input-yaml <file>", "the same as YAML (repeatable)"));
}

function addShellOnError(command: Command): Command {
  return command
    .option("--keep-going", "when a component fails, still finish and save all that do not need it; the exit code is 1 all the same")
    .option("--daemon-history", "let the daemon keep a record of the run in its own history, too; never of runs with secrets")
    .option("--supersede", "cancel the run that the environment of the stack is busy with, and those that wait for it")
    .option("--shell-on-error", "when a command of the job fails, open a shell where it failed before the run ends; needs a terminal")
    .option("--shell <program>", "the shell that is opened; without it SHELL of the environment, bash or sh");
}
