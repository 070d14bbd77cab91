// The command line: every command with its flags, help and examples. Loads nothing else; a command's code is imported when it runs.
import { Command } from "commander";
import type { Context } from "../context.ts";
import { wantsColour } from "../io.ts";
import { addCatalogCommands } from "./catalog.ts";
import { addDebug, exampleText, guard } from "./command.ts";
import { addConnectorCommands } from "./connector.ts";
import { addCueCommands } from "./cue.ts";
import { addDaemonCommands } from "./daemon.ts";
import { addDoc } from "./doc.ts";
import { addEngineCommands } from "./engine.ts";
import { addHistoryCommands, addOutputCommands, addQuery } from "./history.ts";
import { addImageCommands } from "./image.ts";
import { addInputCommands } from "./input.ts";
import { addLibraryCommands } from "./library.ts";
import { addLockCommands } from "./lock.ts";
import { addModuleCommands } from "./modules.ts";
import { addInspect, addNodeCommands } from "./node.ts";
import { addPlan } from "./plan.ts";
import { addCompute, addUp } from "./run.ts";
import { addSecretCommands } from "./secret.ts";
import { addServiceCommands } from "./services.ts";
import { addShell } from "./shell.ts";
import { addSourceCommands } from "./source.ts";
import { addEnvCommands, addStackCommands } from "./stacks.ts";
import { addStageCommands } from "./stages.ts";
import { addTargetCommands } from "./target.ts";
import { addTest } from "./test.ts";
import { addToolCommands } from "./tools.ts";
import { addUpkeepCommands } from "./upkeep.ts";
import { addWatch } from "./watch.ts";
import { addWhy } from "./why.ts";
import { addWorkCommands } from "./work.ts";
import { addClone, addInit } from "./workspace.ts";

const about = `Compiles CUE workflows to one BuildKit graph and runs them in one pass.

Exit codes: 0 done, 1 the job failed, 2 the input is wrong, 3 the environment is, 130 interrupted.`;

type AddGroup = (program: Command, context: Context) => void;

/** In the order of the help, under its headings. A new group is a file here that adds its commands, and a name in this table. */
const groups: readonly (readonly [heading: string, ...AddGroup[]])[] = [
  ["Run:", addUp, addTest, addWatch, addDaemonCommands, addShell, addLibraryCommands, addCompute],
  ["Look before, and after:", addPlan, addWhy, addStageCommands, addHistoryCommands, addOutputCommands, addQuery, addInspect],
  ["Write configs:", addCueCommands, addDoc, addCatalogCommands, addModuleCommands, addLockCommands],
  ["Keep:", addInit, addClone, addStackCommands, addEnvCommands, addInputCommands, addSecretCommands, addConnectorCommands],
  ["Data, services, workers, other systems:", addSourceCommands, addNodeCommands, addServiceCommands, addWorkCommands, addTargetCommands],
  ["This machine and its daemon:", addImageCommands, addEngineCommands, addUpkeepCommands, addToolCommands],
];

/** Commands that run often start without the others. */
const alone: Readonly<Record<string, AddGroup>> = { up: addUp, compute: addCompute };

/**
 * The whole command tree, or as much of it as a command line needs that begins with the word `first`. Parsing runs the chosen command;
 * mistakes are thrown as UsageError.
 */
export function createProgram(context: Context, first = ""): Command {
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
  const only = Object.hasOwn(alone, first) ? alone[first] : undefined;
  if (only !== undefined) only(program, context);
  else {
    for (const [heading, ...adds] of groups) {
      program.commandsGroup(heading);
      for (const add of adds) add(program, context);
    }
  }
  addDebug(program);
  return program;
}
