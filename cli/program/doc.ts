// dagger doc.
import { type Command, Option } from "commander";
import type { DocFlags } from "../commands/doc.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";

export function addDoc(program: Command, context: Context): void {
  addCommand(
    program,
    "doc",
    "Show the documentation of a package, or of one definition of it: its inputs with types and defaults",
    "It is made of the comments of its files; nothing is evaluated or run. Fields with ! must be given, those with ? may be left out.",
    ["$ dagger doc go", "$ dagger doc go.#Build", "$ dagger doc ./ci", "$ dagger doc example.com/lib/deploy --output markdown"],
  )
    .argument(
      "[package]",
      "a package of the library (go), a directory or file (./ci), or the import path of a package; with .#NAME one definition",
      ".",
    )
    .option("--offline", "take CUE modules only from the cache, or from where `dagger mod vendor` put them")
    .addOption(new Option("--output <format>", "format on stdout").choices(["text", "markdown", "json"]).default("text"))
    .action(async (what: string, flags: DocFlags) => {
      const { docCommand } = await import("../commands/doc.ts");
      await docCommand(context, what, flags);
    });
}
