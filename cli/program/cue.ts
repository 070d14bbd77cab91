// dagger vet, eval and fmt: what one does with CUE before anything runs.
import { type Command, Option } from "commander";
import type { EvalFlags, FormatFlags, VetFlags } from "../commands/cue.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addSource, addTargets, list } from "./flags.ts";

export function addCueCommands(program: Command, context: Context): void {
  addVet(program, context);
  addEval(program, context);
  addFormat(program, context);
}

function addVet(program: Command, context: Context): void {
  const command = addCommand(
    program,
    "vet",
    "Check a config: everything that a run would find wrong before it needs a daemon",
    "Nothing is run, and neither a daemon nor a registry of images is asked. Exits with 2 when something is wrong.",
    ["$ dagger vet ./ci", "$ dagger vet ./ci -i version=1.2.3 --output json"],
  );
  addOutput(
    addTargets(command)
      .addOption(list("--secret <id=source>", "secret of a run, for configs that take the names of secrets as values (repeatable)"))
      .addOption(list("--ssh <id[=path]>", "SSH agent or socket of a run, in the same way (repeatable)")),
  ).action(async (dir: string | undefined, flags: VetFlags) => {
    const { vetCommand } = await import("../commands/cue.ts");
    await vetCommand(context, dir, flags);
  });
}

function addEval(program: Command, context: Context): void {
  const command = addCommand(
    program,
    "eval",
    "Show what a config, or an expression in it, evaluates to",
    "cue shows types where there are no values yet, as `cue eval` does; json, yaml and text need values, as `cue export` does. Nothing is run.",
    ["$ dagger eval ./ci", "$ dagger eval ./ci -e app.version --output text", "$ dagger eval ./ci -i version=1.2.3 --output json"],
  );
  addSource(command)
    .option("-e, --expression <cue>", "show only this, e.g. a path; names are those of the config")
    .option("-a, --all", "show hidden and optional fields, too")
    .option("-c, --concrete", "a value that is not known is an error")
    .addOption(new Option("--output <format>", "format on stdout").choices(["cue", "json", "yaml", "text"]).default("cue"))
    .action(async (dir: string | undefined, flags: EvalFlags) => {
      const { evalCommand } = await import("../commands/cue.ts");
      await evalCommand(context, dir, flags);
    });
}

function addFormat(program: Command, context: Context): void {
  addCommand(
    program,
    "fmt",
    "Put CUE files into the standard format, that of `cue fmt`",
    "Names the files that it changes. Below directories, cue.mod and what starts with . or _ is left out.",
    ["$ dagger fmt", "$ dagger fmt --check ./ci", "$ dagger fmt --diff ./ci/main.cue", "$ dagger fmt - < in.cue > out.cue"],
  )
    .argument("[paths...]", "CUE files, and directories with all below; - for standard input", ["."])
    .option("--check", "change nothing, name the files that are not formatted, and exit with 1 if there are any")
    .option("--diff", "change nothing, show what would change, and exit with 1 if anything would")
    .action(async (paths: readonly string[], flags: FormatFlags) => {
      const { formatCommand } = await import("../commands/cue.ts");
      await formatCommand(context, paths, flags);
    });
}
