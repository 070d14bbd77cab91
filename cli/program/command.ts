// What every command has: examples in its help, mistakes that are thrown, --debug.
import type { Command } from "commander";
import { usageError } from "../failure.ts";

/** A command below `parent`, e.g. `list` or `import <ref> <path>`; a line of `examples` is as one types it, after `$ `. */
export function addCommand(parent: Command, signature: string, summary: string, detail: string, examples: readonly string[]): Command {
  const command = guard(parent.command(signature));
  command.summary(summary).description(detail === "" ? `${summary}.` : `${summary}.\n\n${detail}`);
  command.helpOption("-h, --help", "show help");
  command.addHelpText("after", exampleText(examples));
  return command;
}

/** Turns commander's way of ending the process into exceptions. */
export function guard(command: Command): Command {
  return command.exitOverride((error) => {
    throw usageError(error, pathOf(command));
  });
}

/** The flag that every command has, last in its help. It is read in run.ts, so that it also works where parsing fails. */
export function addDebug(command: Command): void {
  if (command.parent !== null) command.option("--debug", "show the stack of an error");
  for (const child of command.commands) addDebug(child);
}

/** The end of a help page. */
export function exampleText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`;
}

/** `dagger image import`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
