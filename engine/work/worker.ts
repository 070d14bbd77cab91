// A worker: takes jobs from the queue of a store, one after the other, and runs each as `up` would. Workers of many machines share a queue.
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../compiler/index.ts";
import type { UpEvent } from "../events.ts";
import type { HistoryRequest } from "../history/open.ts";
import { storeOf } from "../history/place.ts";
import type { RunChoices, UpRequest } from "../request.ts";
import { overKept } from "../settings/fills.ts";
import { readyStack } from "../settings/run.ts";
import type { FinalJobState, Job, Store } from "../store/index.ts";
import { openShared } from "../store/shared.ts";
import { up } from "../up.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { computeForJob, nodeWishOf } from "./nodes.ts";
import type { JobWish } from "./queue.ts";
import { checkTags } from "./tags.ts";

export interface WorkRequest
  extends HistoryRequest,
    Pick<RunChoices, "allowHost" | "cacheFrom" | "cacheTo" | "ssh">,
    Pick<UpRequest, "buildkit" | "tls" | "secrets" | "secretCalls"> {
  /** What this worker has: it takes jobs that ask for none but these. */
  readonly tags: readonly string[];
  /** How many jobs at once. */
  readonly jobs: number;
  /** Resolves when nothing waits any more that it could take, in place of waiting for more. */
  readonly untilEmpty: boolean;
  /** Aborting ends the runs that go on, on the daemon too; their jobs wait for other workers then. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: WorkEvent) => void;
}

/** What a worker tells. */
export type WorkEvent =
  | { readonly type: "taken"; readonly job: Job }
  /** Of the run that does the job. */
  | { readonly type: "event"; readonly job: Job; readonly event: UpEvent }
  | { readonly type: "ended"; readonly job: Job; readonly state: FinalJobState; readonly error?: unknown }
  /** Another worker may do it. Without an error: this one was stopped. */
  | { readonly type: "returned"; readonly job: Job; readonly error?: unknown }
  | { readonly type: "waiting" };

/** So often a job is tried whose workers are killed, or lack what it needs. */
const attempts = 3;
/** Milliseconds between looks at a queue in which nothing waits. */
const pause = 500;
/** Milliseconds that a worker waits after it could not do a job: others may. */
const rest = 2000;

/** Works until nothing waits, or for ever. Throws UserError (2) for what is wrong with the request, (3) when there is no store, (130) when it was stopped. */
export async function work(request: WorkRequest): Promise<void> {
  checkTags(request.tags);
  const workspace = await openWorkspace(".", request.cwd);
  const { onNotice } = request;
  const store = await openShared({
    ...storeOf(workspace.root, request.store),
    now: Date.now,
    ...(onNotice === undefined ? {} : { onNotice }),
  });
  try {
    await Promise.all(Array.from({ length: request.jobs }, () => new Worker(request, store).run()));
    if (request.signal.aborted) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
  } finally {
    await store.close();
  }
}

class Worker {
  readonly #request: WorkRequest;
  readonly #store: Store;

  constructor(request: WorkRequest, store: Store) {
    this.#request = request;
    this.#store = store;
  }

  async run(): Promise<void> {
    const { signal, tags, untilEmpty, onEvent } = this.#request;
    for (let idle = false; !signal.aborted; ) {
      const job = await this.#store.jobs.take(tags, attempts);
      if (job === undefined) {
        if (untilEmpty) return;
        if (!idle) onEvent({ type: "waiting" });
        idle = true;
        await sleep(pause, undefined, { signal }).catch(() => undefined);
        continue;
      }
      idle = false;
      if (!(await this.#do(job))) await sleep(rest, undefined, { signal }).catch(() => undefined);
    }
  }

  /** False: this worker cannot do it. */
  async #do(job: Job): Promise<boolean> {
    const { onEvent, signal } = this.#request;
    // The worker before may have been killed between the end of the run and that of the job.
    // Of a node what counts is that its results are in their places, which it looks at itself.
    const isNode = nodeWishOf(job) !== undefined;
    const before = job.run === undefined || isNode ? undefined : await this.#store.runs.get(job.run);
    if (before?.state === "done") {
      onEvent({ type: "ended", job: await this.#store.jobs.end(job, "done"), state: "done" });
      return true;
    }
    onEvent({ type: "taken", job });
    try {
      await this.#compute(job);
      onEvent({ type: "ended", job: await this.#store.jobs.end(job, "done"), state: "done" });
      return true;
    } catch (error) {
      return this.#failed(job, error, signal.aborted).catch((late: unknown) => {
        if (!(late instanceof UserError) || late.diagnostics[0]?.code !== "job-taken-over") throw late;
        // This worker was not heard of for so long that another one does it: what came of it here counts no more.
        onEvent({ type: "returned", job, error: late });
        return true;
      });
    }
  }

  async #failed(job: Job, error: unknown, stopping: boolean): Promise<boolean> {
    const { onEvent } = this.#request;
    const exit = error instanceof UserError ? error.exit : 1;
    const words = error instanceof Error ? error.message : String(error);
    if (stopping) await this.#store.jobs.giveBack(job, "its worker was stopped", false);
    else if (exit === 3 && job.attempts < attempts) await this.#store.jobs.giveBack(job, words, true);
    else {
      const state = exit === 130 ? "cancelled" : "failed";
      onEvent({ type: "ended", job: await this.#store.jobs.end(job, state, words), state, error });
      return exit !== 3;
    }
    onEvent({ type: "returned", job, ...(stopping ? {} : { error }) });
    return false;
  }

  /** A run of an environment, or a computation of a node. */
  async #compute(job: Job): Promise<void> {
    const wish = nodeWishOf(job);
    if (wish === undefined) return this.#up(job);
    const {
      tags: _tags,
      jobs: _jobs,
      untilEmpty: _until,
      onEvent,
      secrets: _secrets,
      secretCalls: _calls,
      ssh: _ssh,
      ...request
    } = this.#request;
    const attaching: Promise<void>[] = [];
    await computeForJob(wish, {
      ...request,
      onEvent: (event) => onEvent({ type: "event", job, event }),
      onRecorded: (run) => {
        const attached = this.#attach(job, run);
        attached.catch(() => undefined);
        attaching.push(attached);
      },
    });
    await Promise.all(attaching);
  }

  /** Each attempt is a run of its own. What an attempt of before finished, the daemon's cache still has. */
  async #up(job: Job): Promise<void> {
    const { tags: _tags, jobs: _jobs, untilEmpty: _until, onEvent, ...request } = this.#request;
    const { inputs, typedInputs, targets, noCache, keepGoing } = job.request as unknown as JobWish;
    const ready = await readyStack({ ...request, stack: job.stack, environment: job.env });
    if (ready === undefined) throw new Error(`${job.stack} has vanished`);
    let attached: Promise<void> | undefined;
    await up({
      ...request,
      ...ready,
      secrets: overKept(request.secrets ?? [], ready.secrets),
      ssh: overKept(request.ssh ?? [], ready.ssh),
      inputs,
      typedInputs,
      targets,
      noCache,
      keepGoing,
      idempotencyKey: `job ${job.id} ${job.token}`,
      onRecorded: (run) => {
        attached = this.#attach(job, run);
        attached.catch(() => undefined);
      },
      onEvent: (event) => onEvent({ type: "event", job, event }),
    });
    await attached;
  }

  async #attach(job: Job, run: string): Promise<void> {
    const cancelled = await this.#store.jobs.attach(job, run);
    if (cancelled !== undefined) await this.#store.runs.cancel(run, cancelled);
  }
}
