// The queue of jobs from the side of those who ask for runs: put in, looked at, waited for, cancelled.
import { inputError } from "../../compiler/index.ts";
import { type HistoryRequest, openHistory } from "../history/open.ts";
import { storeOf } from "../history/place.ts";
import type { TypedInput } from "../inputs/typed-inputs.ts";
import { openStack } from "../settings/run.ts";
import type { StackWish } from "../stacks/choice.ts";
import type { Job, JobFilter, Json, Store } from "../store/index.ts";
import { openShared } from "../store/shared.ts";
import { checkTags } from "./tags.ts";
import { untilOver } from "./wait.ts";

/** What a job asks for, as flags say it: kept with the job, so no secrets. */
export interface JobWish {
  /** `PATH=VALUE` texts, as `up` takes them; relative paths in them are those of the worker. */
  readonly inputs: readonly string[];
  /** Values that are known for what they are. */
  readonly typedInputs: readonly TypedInput[];
  readonly targets: readonly string[];
  readonly noCache: boolean;
  readonly keepGoing: boolean;
}

export interface AddJobRequest extends HistoryRequest, StackWish, JobWish {
  readonly tags: readonly string[];
  /** Of several jobs with the same key there is only the first. At most 200 characters. */
  readonly idempotencyKey?: string;
}

/**
 * Asks workers for a run of an environment: resolves when that is durable. Not `created`: a job with that key was there already. Throws
 * UserError (2) when there is no workspace or no such stack.
 */
export async function addJob(request: AddJobRequest): Promise<{ readonly job: Job; readonly created: boolean }> {
  const { inputs, typedInputs, targets, noCache, keepGoing, idempotencyKey } = request;
  checkTags(request.tags);
  const { workspace, stack, environment } = await openStack(request);
  const store = await openShared({ ...storeOf(workspace.root, request.store), now: Date.now, ...noticeOf(request) });
  try {
    return await store.jobs.add({
      stack: stack.slug,
      env: environment.slug,
      tags: request.tags,
      request: { inputs, typedInputs, targets, noCache, keepGoing } satisfies JobWish as unknown as Json,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
  } finally {
    await store.close();
  }
}

/** Open jobs in the order of the queue, then those that are over, the newest first. */
export async function listJobs(request: HistoryRequest, filter: JobFilter): Promise<readonly Job[]> {
  return withJobs(request, async (store) => (await store?.jobs.list(filter)) ?? []);
}

/** Throws UserError (2) `unknown-job`, `ambiguous-job`, `job-over`. */
export async function cancelJob(request: HistoryRequest, wanted: string): Promise<Job> {
  return withJobs(request, async (store) => {
    const { id } = await findJob(store, wanted);
    const job = await store?.jobs.cancel(id, "cancelled");
    if (job === undefined) {
      throw inputError({ code: "job-over", message: `The job ${id} is over`, at: [], hint: `See what became of it: dagger queue list` });
    }
    if (job.run !== undefined) await store?.runs.cancel(job.run, "its job was cancelled");
    return job;
  });
}

export interface WaitRequest extends HistoryRequest {
  readonly signal: AbortSignal;
  /** Told of the job at once, and whenever it is another worker's, or another run's. */
  readonly onChange: (job: Job) => void;
}

/** Resolves when the job is over. Throws UserError as `cancelJob`, (130) when the signal is aborted: the job goes on. */
export async function waitForJob(request: WaitRequest, wanted: string): Promise<Job> {
  return withJobs(request, async (store) => {
    const { id } = await findJob(store, wanted);
    if (store === undefined) throw unknownJob(wanted);
    return untilOver(store, id, request);
  });
}

async function withJobs<T>(request: HistoryRequest, use: (store: Store | undefined) => Promise<T>): Promise<T> {
  const { store } = await openHistory(request);
  try {
    return await use(store);
  } finally {
    await store?.close();
  }
}

async function findJob(store: Store | undefined, wanted: string): Promise<Job> {
  const found = wanted === "" ? [] : ((await store?.jobs.list({ prefix: wanted.toLowerCase(), limit: 5 })) ?? []);
  const [job] = found;
  if (job === undefined) throw unknownJob(wanted);
  if (found.length === 1 || job.id === wanted) return job;
  const message = `Several jobs begin with ${JSON.stringify(wanted)}: ${found.map(({ id }) => id).join(", ")}`;
  throw inputError({ code: "ambiguous-job", message, at: [], hint: "Write more of the id" });
}

function unknownJob(wanted: string): Error {
  const hint = "See which there are: dagger queue list";
  return inputError({ code: "unknown-job", message: `There is no job ${JSON.stringify(wanted)}`, at: [], hint });
}

function noticeOf({ onNotice }: HistoryRequest): Pick<HistoryRequest, "onNotice"> {
  return onNotice === undefined ? {} : { onNotice };
}
