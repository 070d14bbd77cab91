// dagger shell.
import type { Command } from "commander";
import type { ShellFlags } from "../commands/shell.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addReading, addStack, addSteps } from "./flags.ts";

export function addShell(program: Command, context: Context): void {
  const shell = addCommand(
    program,
    "shell <component> [dir]",
    "Build a component and open a shell in it, or run a command there",
    "The process gets the component's files, environment, directory and user, and the mounts and network of its last exec. What it writes " +
      "is lost at its end, except in caches. COMPONENT is its CUE path, or `.` where the whole config is one. The exit code is the process's own.",
    [
      "$ dagger shell app.build",
      "$ dagger shell app.build ./ci -- go test ./...",
      "$ echo 'ls -l' | dagger shell app.build --shell /bin/bash",
    ],
  );
  addDaemon(
    addSteps(addStack(addReading(shell))).option("--shell <program>", "the shell to open; without it SHELL of the environment, bash or sh"),
    "BuildKit daemon to build on; without it BUILDKIT_HOST, a daemon on a standard socket, Docker's, or the embedded one",
  ).action(async (component: string, dir: string | undefined, flags: ShellFlags) => {
    const { shellCommand } = await import("../commands/shell.ts");
    await shellCommand(context, component, dir, flags);
  });
}
