// Jobs of the queue, for people.
import type { Job } from "../../engine/index.ts";
import { placeText } from "./history.ts";
import type { Style } from "./style.ts";
import { formatTable } from "./table.ts";
import { duration } from "./units.ts";

/** A line for each: `1m7y… queued  web/production  osx,gpu  12s`. */
export function formatJobs(jobs: readonly Job[], now: number, style: Style): string {
  if (jobs.length === 0) return "No jobs\n";
  const head = ["JOB", "STATE", "ENVIRONMENT", "TAGS", "AGE", "RUN", "WORKER"].map((cell) => style.dim(cell));
  const rows = jobs.map((job) => [
    job.id,
    job.state,
    placeText(job),
    job.tags.join(",") || "-",
    duration(Math.max(0, now - job.created)),
    job.run ?? "-",
    job.worker ?? job.reason ?? "-",
  ]);
  return formatTable([head, ...rows]);
}

/** One line about what became of a job. */
export function jobText({ id, state, run, worker, attempts, reason, tags, ...job }: Job): string {
  const what = `Job ${id} (${placeText(job)})`;
  const again = attempts > 1 ? `, the ${attempts === 2 ? "second" : `${attempts}th`} time` : "";
  switch (state) {
    case "queued": {
      const asked = tags.length === 0 ? "a worker" : `a worker with the ${tags.length === 1 ? "tag" : "tags"} ${tags.join(", ")}`;
      return `${what} waits for ${asked}${reason === undefined ? "" : `: ${reason}`}`;
    }
    case "running":
      return `${what} runs${again}${run === undefined ? "" : ` as ${run}`}${worker === undefined ? "" : ` (${worker})`}`;
    case "done":
      return `${what} is done${run === undefined ? "" : `: dagger history show ${run}`}`;
    default:
      return `${what} ${state === "failed" ? "failed" : "was cancelled"}${reason === undefined ? "" : `: ${reason}`}`;
  }
}
