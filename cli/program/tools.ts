// dagger version, doctor and completion.
import { Argument, type Command } from "commander";
import type { Shell } from "../commands/completion.ts";
import type { Context, DaemonFlags, OutputFormat } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput } from "./flags.ts";

const shells: readonly Shell[] = ["bash", "zsh", "fish"];

export function addToolCommands(program: Command, context: Context): void {
  addOutput(
    addCommand(program, "version", "Show the versions of dagger and its parts", "", ["$ dagger version", "$ dagger version --output json"]),
  ).action(async (flags: { output: OutputFormat }) => {
    const { versionCommand } = await import("../commands/version.ts");
    await versionCommand(context, flags);
  });
  const doctor = addCommand(
    program,
    "doctor",
    "Check this machine: what is missing, and how to get it",
    "Exits with 3 when something is missing.",
    ["$ dagger doctor", "$ dagger doctor --output json", "$ dagger doctor --buildkit tcp://build.example:1234 --tlsdir certs"],
  );
  addDaemon(addOutput(doctor), "BuildKit daemon to check, instead of the one that a run would use").action(
    async (flags: DaemonFlags & { output: OutputFormat }) => {
      const { doctorCommand } = await import("../commands/doctor.ts");
      await doctorCommand(context, flags);
    },
  );
  addCommand(program, "completion", "Print a script that completes commands and flags in bash, zsh or fish", "", [
    "$ source <(dagger completion bash)",
    "$ dagger completion zsh > ~/.zfunc/_dagger",
    "$ dagger completion fish > ~/.config/fish/completions/dagger.fish",
  ])
    .addArgument(new Argument("<shell>", "the shell to complete in").choices(shells))
    .action(async (shell: Shell) => {
      const { completionCommand } = await import("../commands/completion.ts");
      completionCommand(context, shell, program);
    });
}
