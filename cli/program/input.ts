// dagger input and its commands.
import { type Command, Option } from "commander";
import type { InputFlags } from "../commands/input.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addStack } from "./flags.ts";

const kinds = ["text", "number", "bool", "json", "yaml", "directory", "file", "git", "secret", "socket", "container", "output"];

export function addInputCommands(program: Command, context: Context): void {
  const input = addCommand(
    program,
    "input",
    "Set what a config leaves open, for an environment of a stack",
    "Inputs are fields with @dagger(input), and those that are declared without a value. CUE checks what is set before it is kept.",
    ["$ dagger input list", "$ dagger input set version 1.4.0", "$ dagger input set token env:TOKEN --kind secret"],
  );
  const run = async () => import("../commands/input.ts");
  const add = (signature: string, summary: string, detail: string, examples: readonly string[]): Command =>
    addStack(addCommand(input, signature, summary, detail, examples)).option("--offline", "ask neither git servers nor registries");
  addOutput(
    add("list", "List the inputs: type, value, and what they are for", "! stands before those that a run needs.", [
      "$ dagger input list",
      "$ dagger input list -s web -e staging --output json",
    ]).alias("ls"),
  ).action(async (flags: InputFlags) => (await run()).listInputsCommand(context, flags));
  addOutput(
    add(
      "set <path> [value]",
      "Set an input; the config's type decides how the value is read",
      "- reads it from standard input. Of directories and files the path is kept, of secrets where they come from (env:NAME, file:PATH, cmd:COMMAND). " +
        "A secret or socket that the config knows by its id goes by that. Before a value that begins with - write --.",
      [
        "$ dagger input set -s web -e staging replicas 3",
        "$ dagger input set source ./app",
        "$ dagger input set source https://example.com/app.git,main,src --kind git",
        "$ dagger input set values - --kind yaml < values.yaml",
        "$ dagger input set vpc --from-output network/production.vpc.id",
      ],
    )
      .addOption(new Option("--kind <kind>", "how the value is read").choices(kinds))
      .option(
        "--from-output <output>",
        "take what another environment gives, as STACK/ENV.PATH; without /ENV the environment of the same name, or the only one",
      ),
  ).action(async (path: string, value: string | undefined, flags: InputFlags) =>
    (await run()).setInputCommand(context, path, value, flags),
  );
  addOutput(
    add("unset <path...>", "Forget what is set", "Also for inputs that the config has no more.", [
      "$ dagger input unset -s web -e staging replicas",
    ]),
  ).action(async (paths: readonly string[], flags: InputFlags) => (await run()).unsetInputsCommand(context, paths, flags));
  addOutput(
    add("import <file>", "Set every input that a JSON or YAML file has", "All of them are kept, or none. - is standard input.", [
      "$ dagger input import values.yaml",
      "$ jq .web values.json | dagger input import -",
    ]),
  ).action(async (file: string, flags: InputFlags) => (await run()).importInputsCommand(context, file, flags));
  add("schema", "Print JSON Schema of the inputs, from which a form can be made", "", [
    "$ dagger input schema -s web > inputs.schema.json",
  ]).action(async (flags: InputFlags) => (await run()).schemaCommand(context, flags));
}
