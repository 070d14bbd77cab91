// dagger history, output and query.
import { type Command, Option } from "commander";
import type { AgainFlags } from "../commands/again.ts";
import type { HistoryFlags, OutputFlags, QueryFlags } from "../commands/history.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addGiven, addOutput, addStack, list, progressOption } from "./flags.ts";

const which = "RUN is an id, the beginning of one, or `latest`.";

export function addHistoryCommands(program: Command, context: Context): void {
  const history = addCommand(
    program,
    "history",
    "See the runs of the workspace: what they were made from, what they told, what became of them",
    "Runs in a workspace are recorded in .dagger/state, on this machine only.",
    ["$ dagger history list", "$ dagger history show latest", "$ dagger history logs latest -t app.test"],
  );
  const run = async () => import("../commands/history.ts");
  const runs = addCommand(history, "list", "List runs, the newest first", "", [
    "$ dagger history list",
    "$ dagger history list -s web -e production --state failed --since 7d --output json",
  ]).alias("ls");
  addOutput(
    addEnvironment(runs)
      .addOption(list("--state <state>", "only runs in this state: queued, running, done, failed, interrupted, cancelled (repeatable)"))
      .option("--since <time>", "only runs since then: 12h, 30d, or a date such as 2026-11-21")
      .option("--limit <count>", "at most so many, up to 1000; 50 without it"),
  ).action(async (flags: HistoryFlags) => (await run()).listRunsCommand(context, flags));
  addOutput(
    addCommand(history, "show <run>", "Show a run: its config, components, outputs and end", which, [
      "$ dagger history show latest",
      "$ dagger history show 1m7yp1 --output json | jq .config.files",
    ]),
  ).action(async (wanted: string, flags: HistoryFlags) => (await run()).showRunCommand(context, wanted, flags));
  addOutput(
    addCommand(history, "logs <run>", "Show what the steps of a run wrote", which, [
      "$ dagger history logs latest",
      "$ dagger history logs latest -t app.test --follow",
    ])
      .option("-t, --target <component>", "only of this component, and of what lies below it")
      .option("-f, --follow", "go on with what a run that is not over still writes"),
  ).action(async (wanted: string, flags: HistoryFlags) => (await run()).logsCommand(context, wanted, flags));
  addOutput(
    addCommand(history, "diff <run> <other>", "Show what was different in two runs: config, inputs, versions, outcome", which, [
      "$ dagger history diff 1m7yp1 latest",
    ]),
  ).action(async (first: string, second: string, flags: HistoryFlags) => (await run()).diffCommand(context, [first, second], flags));
  addAgain(
    addCommand(
      history,
      "rerun <run>",
      "Run what a run was made from once more: its files, inputs, settings, images and commits",
      `${which} Secrets are those of today, and so are local directories: what of them is not as it was is told.`,
      ["$ dagger history rerun latest", "$ dagger history rerun 1m7yp1 --secret token=env:TOKEN"],
    ),
  ).action(async (wanted: string, flags: AgainFlags) => (await import("../commands/again.ts")).rerunCommand(context, wanted, flags));
  addAgain(
    addCommand(
      history,
      "resume <run>",
      "Go on with a run that failed, was cancelled or interrupted: what it finished is not run again",
      `${which} It is made from what that run was made from. Steps that always run count as finished, too, where the daemon still has them.`,
      ["$ dagger history resume latest"],
    ),
  ).action(async (wanted: string, flags: AgainFlags) => (await import("../commands/again.ts")).resumeCommand(context, wanted, flags));
  addOutput(
    addEnvironment(
      addCommand(history, "prune", "Forget old runs; what components gave last stays", "Runs that are not over are kept.", [
        "$ dagger history prune --keep 100",
        "$ dagger history prune --older-than 30d -s web",
      ]),
    )
      .option("--keep <count>", "all but the newest so many")
      .option("--older-than <time>", "those from before then: 12h, 30d, or a date"),
  ).action(async (flags: HistoryFlags) => (await run()).pruneCommand(context, flags));
  addOutput(
    addCommand(
      history,
      "restore",
      "Put the newest backup of a damaged history in its place",
      "A backup is made about once a day, when a run ends. The damaged file is kept beside it, and so is everything that was recorded since.",
      ["$ dagger history restore"],
    ),
  ).action(async (flags: HistoryFlags) => (await run()).restoreCommand(context, flags));
}

export function addOutputCommands(program: Command, context: Context): void {
  const output = addCommand(
    program,
    "output",
    "See what the components of an environment gave last",
    "Outputs are those of each component's last success. Without a stack they are those of the config in the current directory.",
    ["$ dagger output list -s web -e production", "$ dagger output get app.version"],
  );
  const run = async () => import("../commands/history.ts");
  addOutput(
    addStack(
      addCommand(output, "list", "List outputs, with the run that each came from", "", [
        "$ dagger output list",
        "$ dagger output list --output json",
      ]).alias("ls"),
    ),
  ).action(async (flags: OutputFlags) => (await run()).listOutputsCommand(context, flags));
  addOutput(
    addStack(
      addCommand(output, "get <name>", "Show an output; as json, with where it came from", "", [
        "$ dagger output get app.version",
        "$ dagger output get app.image --output json",
      ]),
    ),
  ).action(async (name: string, flags: OutputFlags) => (await run()).getOutputCommand(context, name, flags));
}

export function addQuery(program: Command, context: Context): void {
  addStack(
    addCommand(
      program,
      "query",
      "Show the values that an environment's config had when it last succeeded",
      "Nothing is evaluated or run. Without a stack it is the config in the current directory.",
      ["$ dagger query", "$ dagger query app.version --output text", "$ dagger query -s web -e production --output yaml"],
    ).argument("[path]", "CUE path of a value; all without it", ""),
  )
    .addOption(new Option("--output <format>", "format on stdout").choices(["json", "yaml", "text", "cue"]).default("json"))
    .action(async (path: string, flags: QueryFlags) => {
      const { queryCommand } = await import("../commands/history.ts");
      await queryCommand(context, path, flags);
    });
}

/** How a run is done again: `AgainFlags`. */
function addAgain(command: Command): Command {
  return addOutput(addGiven(addDaemon(command, "BuildKit daemon; without it as for `dagger up`")), ["text", "json", "yaml"])
    .addOption(list("--cache-to <cache>", "leave cache at type=registry,ref=REF or type=local,dest=DIR (repeatable)"))
    .option("--supersede", "cancel the run that the environment is busy with, and those that wait for it")
    .addOption(progressOption());
}

/** Here nothing is chosen without them: all runs of the workspace are meant. */
function addEnvironment(command: Command): Command {
  return command
    .option("-s, --stack <slug>", "only runs of this stack")
    .option("-e, --env <slug>", "only runs of this environment, or of the config in a directory, e.g. ./ci");
}
