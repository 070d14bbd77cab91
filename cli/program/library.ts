// dagger stage: libraries of stages are brought up and down, looked at, and imported.
import { type Command, Option } from "commander";
import type { LibraryFlags, MarkFlags, RunLibraryFlags } from "../commands/library.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput, addReading, addSteps } from "./flags.ts";

const config = "directory of the config; the library's own directory is named in it";
const below = "names of stages; all of them without any";

export function addLibraryCommands(program: Command, context: Context): void {
  const stage = addCommand(
    program,
    "stage",
    "Bring stages of a library up and down, in order",
    "A stage is a directory of templates with a program ctl. Configs have libraries of them with stage.#Library of cuellb.dev/stage.",
    ["$ dagger stage up ./prod", "$ dagger stage status ./prod", "$ dagger stage down ./prod cluster"],
  );
  const run = async () => import("../commands/library.ts");
  const add = (command: "up" | "down" | "plan", summary: string, detail: string, only: string, examples: readonly string[]): Command =>
    addRunning(addCommand(stage, `${command} <dir> [stages...]`, summary, detail, examples).option("--only", only)).action(
      async (dir: string, stages: readonly string[], flags: RunLibraryFlags) =>
        (await run()).runLibrary(context, command, dir, stages, flags),
    );
  add(
    "up",
    "Bring stages up, each after those that it needs",
    "Each is stamped when what it needs is up, and runs `ctl up`. One that is up, and whose templates, config and inputs have not changed, is left alone. What stages give is saved also when one fails; those that need it do not run then, and the next `up` goes on there.",
    "only the stages that are named, and not what they need",
    ["$ dagger stage up ./prod", "$ dagger stage up ./prod cluster --progress plain"],
  );
  add(
    "down",
    "Take stages down, each after those that need it",
    "Runs `ctl down` where a stage was stamped.",
    "only the stages that are named, and not what needs them",
    ["$ dagger stage down ./prod", "$ dagger stage down ./prod cluster", "$ dagger stage down ./prod --skip-failures"],
  ).option("--skip-failures", "take a stage down also when one that needs it could not be");
  add(
    "plan",
    "Tell which stages `up` would run, and why",
    "Stages are stamped, and none is run. What a stage would give to others is not known before it ran.",
    "only the stages that are named, and not what they need",
    ["$ dagger stage plan ./prod", "$ dagger stage plan ./prod --output json"],
  );
  const look = (command: Command): Command => addOutput(addWhich(addReading(command)));
  look(
    addCommand(stage, "status <dir> [stages...]", "Show which stages are up, as OUTPUT_DIR has it", "Nothing is run.", [
      "$ dagger stage status ./prod",
      "$ dagger stage status ./prod --output json",
    ]),
  ).action(async (dir: string, stages: readonly string[], flags: LibraryFlags) => (await run()).showStages(context, dir, stages, flags));
  look(
    addCommand(
      stage,
      "mark <state> <dir> <stages...>",
      "Say that stages are up or down, without running anything",
      "For what was done by hand. A stage that is marked up counts as up with what the next run finds.",
      ["$ dagger stage mark up ./prod network", "$ dagger stage mark down ./prod cluster"],
    ),
  ).action(async (state: string, dir: string, stages: readonly string[], flags: MarkFlags) =>
    (await run()).markLibrary(context, state, dir, stages, flags),
  );
  addCommand(
    stage,
    "import <library>",
    "Turn a library with a betterform_dag.mk into CUE, on stdout",
    "Reads define_stage and dag_deps. A config.jsonnet in the calling directory becomes the config.",
    ["$ dagger stage import ../my_tool > stages.cue", "$ dagger stage import lib/my_tool --into prod/my_tool > prod/my_tool/stages.cue"],
  )
    .option("--into <dir>", "the directory that the library is called from, where the file is to lie; the current one without it")
    .action(async (library: string, flags: { into?: string }) => (await run()).importLibrary(context, library, flags));
}

function addRunning(command: Command): Command {
  return addOutput(addWhich(addSteps(addDaemon(addReading(command), "BuildKit daemon, as of `dagger up`"))));
}

/** The arguments are described here, where all commands have them. */
function addWhich(command: Command): Command {
  for (const argument of command.registeredArguments) {
    if (argument.name() === "dir") argument.description = config;
    if (argument.name() === "stages") argument.description = below;
    if (argument.name() === "state") argument.choices(["up", "down"]).description = "what they are";
  }
  return command.addOption(new Option("--library <path>", "CUE path of the library, where the config has several"));
}
