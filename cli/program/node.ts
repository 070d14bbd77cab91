// dagger node and its commands, and dagger inspect.
import { type Command, Option } from "commander";
import type { NodeFlags } from "../commands/node.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput, conflictOption, list, progressOption } from "./flags.ts";

const about =
  "A node is a command with the sources that it takes and gives. Each input is in /in/NAME; what the command leaves in /out/NAME is added to the " +
  "output. The same parameters are the same node, also when two people make it. A node runs when one of its inputs has a new version.";

export function addNodeCommands(program: Command, context: Context): void {
  const node = addCommand(program, "node", "Keep commands that take sources and give sources, and run them when these change", about, [
    "$ dagger node run --input dmg,pitfall --output tests -- ./test.sh",
    "$ dagger node update",
    "$ dagger node list",
  ]);
  const run = async () => import("../commands/node.ts");
  addRunning(
    addCommand(
      node,
      "run <command...>",
      "Make a node and run it where one of its inputs has a new version; print its id",
      "The command is a program with arguments, one text for a shell, or a script of this machine. ${SOURCE:FIELD} in it is a field of a source: ROOT is " +
        "where it is, ID and HASH are its version; a release has BUILD, a commit COMMIT. Each is a variable, too: SOURCE_FIELD.",
      [
        "$ dagger node run --label test,osx --input dmg,pitfall --output tests -- ./test.sh",
        "$ dagger node run --workers --label osx,gpu --input model --output downloads -- train",
        "$ dagger node run --input web --output site --image node:22 -- sh -c 'cp -r ${web:ROOT}/public/. ${site:ROOT}'",
      ],
    )
      .addOption(list("-l, --label <names>", "names for it, with commas between (repeatable)"))
      .addOption(list("--labels <names>", "as --label").hideHelp())
      .addOption(list("--input <sources>", "sources that it takes, with commas between (repeatable)"))
      .addOption(list("--output <sources>", "sources that it gives; without it one that is made for it (repeatable)"))
      .option("--image <image>", "image that the command runs in; busybox without it")
      .option("--platform <platform>", "its platform, e.g. linux/arm64; that of the daemon's machine without it")
      // What follows the program is its own.
      .passThroughOptions(),
  )
    .addOption(new Option("--format <format>", "format of the result on stdout").choices(["text", "json"]).default("text"))
    .action(async (command: string[], flags: NodeFlags) => (await run()).runNodeCommand(context, command, flags));
  addOutput(
    addRunning(
      addCommand(
        node,
        "update [ids...]",
        "Look at all sources, and run the nodes whose inputs have new versions, in order",
        "With ids, these nodes and those that take what comes from them. A node that fails stops only what needs it.",
        ["$ dagger node update", "$ dagger node update de728e45 --force"],
      ),
    ),
  ).action(async (ids: string[], flags: NodeFlags) => (await run()).updateNodesCommand(context, ids, flags));
  addOutput(addCommand(node, "list", "List the nodes of the workspace", "", ["$ dagger node list"]).alias("ls")).action(
    async (flags: NodeFlags) => (await run()).listNodesCommand(context, flags),
  );
  addOutput(
    addCommand(
      node,
      "log <id>",
      "List the computations of a node, the newest first",
      "One that is pending was not run yet for the versions that its inputs have.",
      ["$ dagger node log de728e45"],
    ),
  ).action(async (id: string, flags: NodeFlags) => (await run()).logNodeCommand(context, id, flags));
  addOutput(
    addCommand(node, "remove <id>", "Remove a node", "Asks first. What it computed, and where that came from, stays known.", [
      "$ dagger node remove de728e45 --yes",
    ]),
  )
    .alias("rm")
    .option("-y, --yes", "do not ask")
    .action(async (id: string, flags: NodeFlags) => (await run()).removeNodeCommand(context, id, flags));
}

export function addInspect(program: Command, context: Context): void {
  addCommand(
    program,
    "inspect <version>",
    "Show what a version of a source was made from, back to commits and digests",
    "VERSION is NAME:ID. The manifest is a list of records in JSON: versions of sources and computations of nodes, each with the IDs of what it comes from.",
    [
      "$ dagger inspect tests:d41d8cd9",
      "$ dagger inspect tests:d41d8cd9 --dot | dot -Tsvg > tests.svg",
      "$ dagger inspect tests:d41d8cd9 --slsa",
    ],
  )
    .option("--dot", "as a graph in Graphviz's language")
    .option("--slsa", "as an in-toto statement with SLSA v1 provenance")
    .action(async (version: string, flags: { readonly dot?: boolean; readonly slsa?: boolean }) =>
      (await import("../commands/inspect.ts")).inspectCommand(context, version, flags),
    );
}

function addRunning(command: Command): Command {
  return addDaemon(
    command
      .option("--workers", "leave commands to workers (`dagger worker`) that have the node's labels as tags, and wait for them")
      .addOption(conflictOption("what becomes of results whose source has changed meanwhile, in place of what the source says"))
      .option("--force", "run the command also when nothing has changed")
      .option("--no-cache", "run every step again, whatever the cache has")
      .option("--allow-host", "credentials may come from programs on this machine (cmd:)")
      .addOption(progressOption()),
    "BuildKit daemon; without it as `dagger up` finds one",
  );
}
