// The queue of jobs for embedding programs: runs that are left to workers, and workers.
import type { Surroundings } from "../request.ts";
import type { FinalJobState, Job, JobState } from "../store/index.ts";
import type { WorkEvent } from "../work/index.ts";
import type { Access, Calls } from "./calls.ts";
import { type CallOptions, type DaemonOptions, type JsonValue, type Secret, secretsOf, typedInputs, type UpOptions } from "./requests.ts";

export interface NewJobOptions extends CallOptions, Pick<UpOptions, "targets" | "noCache" | "keepGoing"> {
  /** Name or slug of a stack of the workspace around the engine's `cwd`. */
  readonly stack: string;
  /** May be left out where there is only one. */
  readonly environment?: string;
  /** Values by CUE path. They are kept with the job: no secrets. */
  readonly inputs?: Readonly<Record<string, JsonValue>>;
  /** What the worker must have. */
  readonly tags?: readonly string[];
  /** Of several jobs with the same key there is only the first. */
  readonly idempotencyKey?: string;
}

export interface WorkOptions extends CallOptions, DaemonOptions, Pick<UpOptions, "allowHost" | "cacheFrom" | "cacheTo" | "ssh"> {
  readonly secrets?: Readonly<Record<string, Secret>>;
  /** What this worker has: it takes jobs that ask for none but these. */
  readonly tags?: readonly string[];
  /** How many jobs at once. Default 1. */
  readonly jobs?: number;
  /** Resolves when nothing waits that it could take. Default false. */
  readonly untilEmpty?: boolean;
  readonly onEvent?: (event: WorkEvent) => void;
}

/** `job` is an id, or the beginning of one: all reject with UserError (2) `unknown-job` or `ambiguous-job` for others. */
export interface Jobs {
  /** Resolves when the job is durable. Not `created`: a job with that key was there already. */
  add(job: NewJobOptions): Promise<{ readonly job: Job; readonly created: boolean }>;
  /** Open ones in the order of the queue, then those that are over, the newest first; 50 without `limit`. */
  list(options?: CallOptions & { readonly states?: readonly JobState[]; readonly limit?: number }): Promise<readonly Job[]>;
  /** Resolves when it is over, whoever does it. */
  wait(job: string, options?: CallOptions & { readonly onChange?: (job: Job) => void }): Promise<Job & { readonly state: FinalJobState }>;
  /** Also of a job that a worker has: its run is cancelled. Rejects with `job-over`. */
  cancel(job: string, options?: CallOptions): Promise<Job>;
  /**
   * Takes jobs and runs them until the signal aborts, which ends the runs that go on and gives their jobs back. Its daemon, secrets and cache are
   * those of this worker; the stacks are those of the workspace around the engine's `cwd`.
   */
  work(options?: WorkOptions): Promise<void>;
}

type Work = typeof import("../work/index.ts");

export function jobsOf(surroundings: Surroundings, calls: Calls, daemon: DaemonOptions): Jobs {
  const call = <T>(access: Access, options: CallOptions | undefined, work: (of: Work, signal: AbortSignal) => Promise<T>): Promise<T> =>
    calls.run(access, options, async (signal) => work(await import("../work/index.ts"), signal));
  const queue: Access = { action: "read", resource: "queue" };
  return {
    add: (job) => {
      const { stack, environment, inputs = {}, targets = [], tags = [], noCache = false, keepGoing = false, idempotencyKey } = job;
      const resource = environment === undefined ? stack : `${stack}/${environment}`;
      return call({ action: "run", resource }, job, ({ addJob }) =>
        addJob({
          ...surroundings,
          stack,
          ...(environment === undefined ? {} : { environment }),
          inputs: [],
          typedInputs: typedInputs({ inputs }),
          targets,
          tags,
          noCache,
          keepGoing,
          ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        }),
      );
    },
    list: (options = {}) => {
      const { states, limit } = options;
      const filter = { ...(states === undefined ? {} : { states }), ...(limit === undefined ? {} : { limit }) };
      return call(queue, options, ({ listJobs }) => listJobs(surroundings, filter));
    },
    wait: (job, options) =>
      call({ action: "read", resource: `job/${job}` }, options, async ({ waitForJob }, signal) => {
        const over = await waitForJob({ ...surroundings, signal, onChange: options?.onChange ?? (() => undefined) }, job);
        return over as Job & { readonly state: FinalJobState };
      }),
    cancel: (job, options) => call({ action: "cancel", resource: `job/${job}` }, options, ({ cancelJob }) => cancelJob(surroundings, job)),
    work: (options = {}) => {
      const {
        tags = [],
        jobs = 1,
        untilEmpty = false,
        onEvent = () => undefined,
        secrets,
        actor: _actor,
        offline: _offline,
        ...flags
      } = options;
      return call({ action: "run", resource: "queue" }, options, ({ work }, signal) =>
        work({ ...surroundings, ...daemon, ...flags, ...secretsOf(secrets), tags, jobs, untilEmpty, onEvent, signal }),
      );
    },
  };
}
