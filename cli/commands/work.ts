// dagger queue and worker: jobs that wait for workers, and the program that does them.
import type { Job, JobState, WorkEvent } from "../../engine/index.ts";
import type { Context, DaemonFlags, OutputFormat, RunFlags } from "../context.ts";
import { daemonOf, surroundings } from "../context.ts";
import { count } from "../count.ts";
import { toFailure, UsageError } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { createProgress } from "../output/create.ts";
import { formatFailure } from "../output/failure.ts";
import { formatJobs, jobText } from "../output/jobs.ts";
import type { ProgressPrinter } from "../output/progress.ts";
import { createStyle } from "../output/style.ts";
import { formatJson } from "../output/table.ts";
import { type StackFlags, wishOf } from "../stack.ts";

export interface QueueFlags extends StackFlags {
  readonly tags?: string;
  readonly target?: readonly string[];
  readonly input?: readonly string[];
  readonly cache: boolean;
  readonly keepGoing?: boolean;
  readonly key?: string;
  readonly wait?: boolean;
  readonly state?: readonly string[];
  readonly limit?: string;
  readonly output: OutputFormat;
}

export interface WorkerFlags extends DaemonFlags, Pick<RunFlags, "secret" | "allowHost" | "ssh" | "cacheFrom" | "cacheTo" | "progress"> {
  readonly tags?: string;
  readonly jobs?: string;
  readonly untilEmpty?: boolean;
}

const engine = async () => (await import("../../engine/index.ts")).loadWork();

export async function addJobCommand(context: Context, flags: QueueFlags): Promise<void> {
  const { addJob } = await engine();
  const { io } = context;
  const { job, created } = await addJob({
    ...requestOf(context),
    ...wishOf(flags),
    tags: tagsOf(flags),
    targets: flags.target ?? [],
    inputs: flags.input ?? [],
    typedInputs: [],
    noCache: !flags.cache,
    keepGoing: flags.keepGoing === true,
    ...(flags.key === undefined ? {} : { idempotencyKey: flags.key }),
  });
  if (!created) io.stderr.write(`The job was there already: ${jobText(job)}\n`);
  if (flags.wait === true) return waitCommand(context, job.id, flags);
  io.stdout.write(flags.output === "json" ? formatJson(job) : `${job.id}\n`);
}

const states: readonly JobState[] = ["queued", "running", "done", "failed", "cancelled"];

export async function listJobsCommand(context: Context, flags: QueueFlags): Promise<void> {
  const { listJobs } = await engine();
  const { io } = context;
  const wrong = flags.state?.find((state) => !states.some((known) => known === state));
  if (wrong !== undefined) throw badFlag(`--state ${JSON.stringify(wrong)} is no state of a job`, `Write one of ${states.join(", ")}`);
  const jobs = await listJobs(requestOf(context), {
    ...(flags.state === undefined ? {} : { states: states.filter((state) => flags.state?.includes(state)) }),
    ...(flags.limit === undefined ? {} : { limit: count("--limit", flags.limit) }),
  });
  io.stdout.write(flags.output === "json" ? formatJson(jobs) : formatJobs(jobs, io.now(), styleOf(context)));
}

/** Exits as the run does: 1 for a job that failed, 130 for one that was cancelled. */
export async function waitCommand(context: Context, wanted: string, flags: Pick<QueueFlags, "output">): Promise<void> {
  const { waitForJob } = await engine();
  const { io, signal } = context;
  const onChange = (job: Job): void => void io.stderr.write(`${jobText(job)}\n`);
  const job = await waitForJob({ ...requestOf(context), signal, onChange }, wanted);
  io.stdout.write(flags.output === "json" ? formatJson(job) : `${job.run ?? ""}\n`);
  if (job.state !== "done") context.exitCode = job.state === "cancelled" ? 130 : 1;
}

export async function cancelJobCommand(context: Context, wanted: string): Promise<void> {
  const { cancelJob } = await engine();
  const { id, state } = await cancelJob(requestOf(context), wanted);
  context.io.stderr.write(state === "cancelled" ? `Cancelled ${id}\n` : `${id} is being cancelled where it runs\n`);
}

/** What jobs tell goes to stderr: whole progress of one at a time, else a line when a job begins and ends. */
export async function workerCommand(context: Context, flags: WorkerFlags): Promise<void> {
  const { work } = await engine();
  const jobs = flags.jobs === undefined ? 1 : count("--jobs", flags.jobs);
  if (jobs === 0) throw badFlag("A worker with --jobs 0 would do nothing", "Write a number from 1 on");
  const screen = new WorkerScreen(context, jobs === 1 ? flags.progress : "quiet");
  await work({
    ...requestOf(context),
    ...daemonOf(flags),
    tags: tagsOf(flags),
    jobs,
    untilEmpty: flags.untilEmpty === true,
    secrets: flags.secret ?? [],
    ssh: flags.ssh ?? [],
    allowHost: flags.allowHost === true,
    cacheFrom: flags.cacheFrom ?? [],
    cacheTo: flags.cacheTo ?? [],
    signal: context.signal,
    onEvent: (event) => screen.show(event),
  });
}

class WorkerScreen {
  readonly #context: Context;
  readonly #mode: RunFlags["progress"];
  #progress: ProgressPrinter | undefined;

  constructor(context: Context, mode: RunFlags["progress"]) {
    this.#context = context;
    this.#mode = mode;
  }

  show(event: WorkEvent): void {
    switch (event.type) {
      case "waiting":
        this.#tell("Waiting for jobs; Ctrl-C ends it\n");
        return;
      case "taken":
        this.#tell(`${jobText(event.job)}\n`);
        this.#progress = createProgress(this.#mode, this.#context.io);
        return;
      case "event":
        this.#progress?.event(event.event);
        return;
      case "ended":
        this.#progress?.finish(event.state === "done" ? "done" : event.state === "failed" ? "failed" : "canceled");
        this.#fail(event.error);
        this.#tell(`${jobText(event.job)}\n`);
        return;
      case "returned":
        this.#progress?.finish("canceled");
        this.#fail(event.error);
        this.#tell(`Job ${event.job.id} waits for another worker\n`);
    }
  }

  #fail(error: unknown): void {
    if (error === undefined) return;
    const { io } = this.#context;
    io.stderr.write(formatFailure(toFailure(error, false), io));
  }

  #tell(text: string): void {
    this.#context.io.stderr.write(text);
  }
}

function requestOf(context: Context) {
  const { io } = context;
  return { ...surroundings(context), onNotice: (text: string) => void io.stderr.write(`${text}\n`) };
}

const tagsOf = ({ tags = "" }: { readonly tags?: string }): string[] => tags.split(",").flatMap((tag) => tag.trim() || []);

const styleOf = ({ io }: Context) => createStyle(wantsColour(io.stdout, io.env));

const badFlag = (message: string, hint: string): UsageError => new UsageError({ code: "bad-flag-value", message, at: [], hint });
