// dagger queue and worker.
import type { Command } from "commander";
import type { QueueFlags, WorkerFlags } from "../commands/work.ts";
import type { Context } from "../context.ts";
import { addCommand } from "./command.ts";
import { addDaemon, addGiven, addOutput, addStack, list, progressOption } from "./flags.ts";

const which = "JOB is an id, or the beginning of one.";
const commands = async () => import("../commands/work.ts");

export function addWorkCommands(program: Command, context: Context): void {
  const queue = addCommand(
    program,
    "queue",
    "Leave runs of environments to workers, and see what becomes of them",
    "The queue is part of the store: workers of several machines share that of a PostgreSQL (DAGGER_STORE).",
    ["$ dagger queue add -s web -e production", "$ dagger queue list"],
  );
  addOutput(
    addStack(
      addCommand(queue, "add", "Leave a run of an environment to a worker", "Prints the job's id when it is durable.", [
        "$ dagger queue add -s web -e production --tags osx,gpu --wait",
        '$ dagger queue add -s web -e dev -t app --key "commit $COMMIT"',
      ])
        .option("--tags <tags>", "what the worker must have: osx,gpu")
        .addOption(list("-t, --target <component>", "CUE path of a component to run; all without it (repeatable)"))
        .addOption(list("-i, --input <path=value>", "value for a CUE path; @FILE is a file of the worker's (repeatable)"))
        .option("--no-cache", "run every step again, whatever the cache has")
        .option("--keep-going", "when a component fails, still finish and save all that do not need it")
        .option("--key <key>", "of several jobs with this key there is only the first")
        .option("--wait", "wait until the job is over; exit as its run does"),
    ),
  ).action(async (flags: QueueFlags) => (await commands()).addJobCommand(context, flags));
  addOutput(
    addCommand(queue, "list", "List jobs: those that wait in their order, then those that are over", "", [
      "$ dagger queue list",
      "$ dagger queue list --state queued --output json",
    ])
      .alias("ls")
      .addOption(list("--state <state>", "only jobs in this state: queued, running, done, failed, cancelled (repeatable)"))
      .option("--limit <count>", "at most so many, up to 1000; 50 without it"),
  ).action(async (flags: QueueFlags) => (await commands()).listJobsCommand(context, flags));
  addOutput(
    addCommand(queue, "wait <job>", "Wait until a job is over; exit as its run does", which, ["$ dagger queue wait 1m7yp1"]),
  ).action(async (wanted: string, flags: QueueFlags) => (await commands()).waitCommand(context, wanted, flags));
  addCommand(queue, "cancel <job>", "Cancel a job, and the run that does it, wherever it is", which, [
    "$ dagger queue cancel 1m7yp1",
  ]).action(async (wanted: string) => (await commands()).cancelJobCommand(context, wanted));
  addWorker(program, context);
}

function addWorker(program: Command, context: Context): void {
  const worker = addCommand(
    program,
    "worker",
    "Take jobs from the queue and run them",
    "The stacks are those of the workspace it is started in. A job whose worker is gone is done by another one. Ctrl-C ends the runs that go on, and gives their jobs back.",
    ["$ dagger worker", "$ dagger worker --tags osx,gpu --jobs 2", "$ dagger worker --until-empty --progress plain"],
  );
  addDaemon(addGiven(worker), "BuildKit daemon that its runs use, as for `dagger up`")
    .option("--tags <tags>", "what this worker has: it takes jobs that ask for none but these")
    .option("--jobs <count>", "how many jobs at once; 1 without it")
    .option("--until-empty", "end when nothing waits that it could take")
    .addOption(list("--cache-to <cache>", "leave cache at type=registry,ref=REF, for other workers' daemons (repeatable)"))
    .addOption(progressOption())
    .action(async (flags: WorkerFlags) => (await commands()).workerCommand(context, flags));
}
