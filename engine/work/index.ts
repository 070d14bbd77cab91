// The door of the queue: jobs that wait for workers, and workers.
export type { Job, JobFilter, JobState } from "../store/index.ts";
export { type AddJobRequest, addJob, cancelJob, type JobWish, listJobs, type WaitRequest, waitForJob } from "./queue.ts";
export { type WorkEvent, type WorkRequest, work } from "./worker.ts";
