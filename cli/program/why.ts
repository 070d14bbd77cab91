// dagger why.
import type { Command } from "commander";
import type { WhyFlags } from "../commands/why.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addOutput, addReading, addStack, whichConfig } from "./flags.ts";

export function addWhy(program: Command, context: Context): void {
  const command = addCommand(
    program,
    "why <component>",
    "Tell why a component runs: what it is made from that was not so when it last succeeded",
    "Values are told with their CUE paths and lines, directories with the files that changed, images and git refs with what they stand for, and the\ncomponents that it uses. Nothing is executed. Runs in a workspace are recorded; with --run it is explained why that run did what it did.",
    [
      "$ dagger why app.test",
      "$ dagger why app.test -s web -e production --run latest",
      "$ dagger why app --output json | jq '.changes[]'",
    ],
  ).argument("[dir]", whichConfig);
  addOutput(addDaemon(addStack(addReading(command)), "BuildKit daemon that is asked what names of images and git refs stand for now"))
    .option("--run <run>", "explain this run, in place of what would run now: an id, the beginning of one, or `latest`")
    .action(async (component: string, dir: string | undefined, flags: WhyFlags) => {
      const { whyCommand } = await import("../commands/why.ts");
      await whyCommand(context, component, dir, flags);
    });
}
