// dagger catalog and its commands.
import type { Command } from "commander";
import type { AddFlags, CatalogFlags } from "../commands/catalog.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput } from "./flags.ts";

const offline = "look only at the library, and at modules of the cache";

export function addCatalogCommands(program: Command, context: Context): void {
  const catalog = addCommand(
    program,
    "catalog",
    "Find packages, see what they give and need, and add them to a config",
    "Packages are those of the library, which comes with dagger, and those of CUE modules in the registries of CUE_REGISTRY.",
    ["$ dagger catalog search deploy", "$ dagger catalog show go", "$ dagger catalog add example.com/lib/deploy"],
  );
  const run = async () => import("../commands/catalog.ts");
  addOutput(
    addCommand(
      catalog,
      "search [word...]",
      "Look for packages that have all of the words in their names, tags or comments; all packages without any",
      "Modules are found by their paths, in registries that give a list (_catalog) of their repositories. In others, as in the central one, only a whole path is found.",
      ["$ dagger catalog search", "$ dagger catalog search slack message", "$ dagger catalog search example.com/lib"],
    ),
  )
    .option("--offline", offline)
    .action(async (words: readonly string[], flags: CatalogFlags) => (await run()).searchCommand(context, words, flags));
  addOutput(
    addCommand(
      catalog,
      "show <package>",
      "Show what a package gives: its definitions with their inputs, secrets, platforms and values, and an example",
      "A package of the library (go), a directory (./ci), the path of a package or of a module, also with @VERSION. `dagger doc` has the types and meanings of all inputs.",
      ["$ dagger catalog show go", "$ dagger catalog show example.com/lib@v0.3.1", "$ dagger catalog show notify --output json"],
    ),
  )
    .option("--offline", offline)
    .action(async (what: string, flags: CatalogFlags) => (await run()).showCommand(context, what, flags));
  addOutput(
    addCommand(
      catalog,
      "add <package>",
      "Make a package ready to be imported, and print its import",
      "The module of a package goes into deps of cue.mod/module.cue, as by `dagger mod get`. A package of the library needs nothing there.",
      ["$ dagger catalog add go", "$ dagger catalog add example.com/lib/deploy", "$ dagger catalog add example.com/lib@v0.3.1"],
    ),
  )
    .option("--dir <dir>", "a directory of the module; without it that of the chosen stack's config, else the current one")
    .action(async (what: string, flags: AddFlags) => (await run()).addCommand(context, what, flags));
}
