// dagger mod and its commands.
import type { Command } from "commander";
import type { ModuleFlags } from "../commands/modules.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput } from "./flags.ts";

export function addModuleCommands(program: Command, context: Context): void {
  const mod = addCommand(
    program,
    "mod",
    "Start CUE modules, add modules from registries, and keep copies of them",
    "Modules, registries (CUE_REGISTRY), logins and the cache (CUE_CACHE_DIR) are those of the cue command.",
    ["$ dagger mod init example.com/ci", "$ dagger mod get example.com/lib@latest", "$ dagger mod vendor"],
  );
  const run = async () => import("../commands/modules.ts");
  addOutput(
    addCommand(mod, "init <module> [dir]", "Make a directory a CUE module", "It writes cue.mod/module.cue.", [
      "$ dagger mod init example.com/ci",
      "$ dagger mod init example.com/ci@v1 ./ci",
    ]),
  ).action(async (module: string, dir: string | undefined, flags: ModuleFlags) => (await run()).initCommand(context, module, dir, flags));
  addOutput(
    addCommand(
      mod,
      "get <module...>",
      "Add modules to those that this one depends on, or change their versions",
      "MODULE@VERSION, where VERSION is v1.2.3, v1.2, v1 (the newest of these) or latest. What the modules need is added with them.",
      ["$ dagger mod get example.com/lib@v0.3.1", "$ dagger mod get example.com/lib@latest"],
    ),
  )
    .option("--dir <dir>", "a directory of the module", ".")
    .action(async (modules: readonly string[], flags: ModuleFlags) => (await run()).getCommand(context, modules, flags));
  addOutput(
    addCommand(
      mod,
      "vendor",
      "Copy all modules that this one depends on beside it, for use without a network",
      "They go to cue.mod/vendor, and cue.mod/local-module.cue says so: plain cue (0.17 or newer) takes them from there, too.",
      ["$ dagger mod vendor"],
    ),
  )
    .option("--dir <dir>", "a directory of the module", ".")
    .option("--offline", "take only what is in the cache")
    .action(async (flags: ModuleFlags) => (await run()).vendorCommand(context, flags));
}
