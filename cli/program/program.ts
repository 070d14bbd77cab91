// The command line: every command with its flags, help and examples. Loads nothing else; a command's code is imported when it runs.
import { Command } from "commander";
import type { Context } from "../context.ts";
import { wantsColour } from "../io.ts";
import { addDebug, exampleText, guard } from "./command.ts";
import { addCueCommands } from "./cue.ts";
import { addEngineCommands } from "./engine.ts";
import { addImageCommands } from "./image.ts";
import { addModuleCommands } from "./modules.ts";
import { addRunCommands } from "./run.ts";
import { addShell } from "./shell.ts";
import { addStageCommands } from "./stages.ts";
import { addToolCommands } from "./tools.ts";
import { addUpkeepCommands } from "./upkeep.ts";

const about = `Compiles CUE workflows to one BuildKit graph and runs them in one pass.

Exit codes: 0 done, 1 the job failed, 2 the input is wrong, 3 the environment is, 130 interrupted.`;

/** In the order of the help. A new group is a file here that adds its commands, and a line in this list. */
const groups: readonly ((program: Command, context: Context) => void)[] = [
  addRunCommands,
  addShell,
  addStageCommands,
  addCueCommands,
  addModuleCommands,
  addImageCommands,
  addEngineCommands,
  addUpkeepCommands,
  addToolCommands,
];

/** The whole command tree. Parsing runs the chosen command; mistakes are thrown as UsageError. */
export function createProgram(context: Context): Command {
  const program = new Command("dagger");
  const { stdout, stderr, env } = context.io;
  program.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    outputError: () => undefined,
    getOutHelpWidth: () => (stdout.isTTY ? stdout.size().columns : 100),
    getErrHelpWidth: () => (stderr.isTTY ? stderr.size().columns : 100),
    getOutHasColors: () => wantsColour(stdout, env),
    getErrHasColors: () => wantsColour(stderr, env),
  });
  program.description(about).helpOption("-h, --help", "show help").helpCommand("help [command]", "show help of a command");
  program.option("-V, --version", "show the versions of dagger and its parts");
  // Without this every subcommand would repeat the flags of the root in its help and suggestions.
  program.enablePositionalOptions();
  program.addHelpText("after", exampleText(["$ dagger up ./examples/hello", "$ dagger help up", "$ dagger doctor"]));
  guard(program);
  for (const addGroup of groups) addGroup(program, context);
  addDebug(program);
  return program;
}
