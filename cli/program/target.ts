// dagger target and its commands.
import type { Command } from "commander";
import type { RenderFlags, TargetFlags } from "../commands/target.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addOutput, addSource, addTargets, list } from "./flags.ts";

const about =
  "A target is another system that tasks and daemons of a config can run in: Docker Compose (compose), or Kubernetes (kubernetes). A task.#Target in the config " +
  "says what of it is written, and with which images.";

export function addTargetCommands(program: Command, context: Context): void {
  const target = addCommand(program, "target", "Write tasks and daemons for Docker Compose or Kubernetes", about, [
    "$ dagger target render compose ./etl -o compose.yaml",
    "$ dagger target render kubernetes ./etl | kubectl apply -f -",
    "$ dagger target list ./etl",
  ]);
  const run = async () => import("../commands/target.ts");
  addTargets(
    addCommand(
      target,
      "render <target>",
      "Write the graph of a config as a file of another system",
      "TARGET is compose, kubernetes, or the CUE path of a task.#Target. Nothing runs, and no daemon is asked. What the other system cannot do is an error, with its line; " +
        "what is left out there is told on stderr. Values of secrets are never written. -t chooses components, of all tasks and daemons without it.",
      [
        "$ dagger target render compose ./etl -o compose.yaml && docker compose up",
        "$ dagger target render kubernetes ./etl --namespace etl --image bronze=registry.example.com/bronze:1.4 > etl.yaml",
        "$ dagger target render stack ./etl",
      ],
    ),
  )
    .option("-o, --out <file>", "write it to a file, in place of stdout")
    .option("--name <name>", "what the whole is called; without it what the target says, or the directory's name")
    .option("--namespace <namespace>", "namespace of the objects of Kubernetes")
    .addOption(list("--image <component=ref>", "image of a component, by its name or CUE path (repeatable)"))
    .action(async (name: string, dir: string | undefined, flags: RenderFlags) =>
      (await run()).renderTargetCommand(context, name, dir, flags),
    );
  addOutput(
    addSource(
      addCommand(target, "list", "List what can be written, and the targets of a config", "", [
        "$ dagger target list ./etl",
        "$ dagger target list ./etl --output json | jq -r '.targets[].path'",
      ]).alias("ls"),
    ),
  ).action(async (dir: string | undefined, flags: TargetFlags) => (await run()).listTargetsCommand(context, dir, flags));
}
