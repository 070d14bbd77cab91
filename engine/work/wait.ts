// Waits for the end of a job, whoever does it.
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../compiler/index.ts";
import type { Job, Store } from "../store/index.ts";

/** Milliseconds between looks. */
const pause = 300;

/** `onChange` is told of the job at once, and whenever it is another worker's, or another run's. Throws UserError (130) when the signal is aborted: the job goes on. */
export async function untilOver(
  store: Store,
  id: string,
  { signal, onChange }: { readonly signal: AbortSignal; readonly onChange: (job: Job) => void },
): Promise<Job> {
  for (let shown = ""; ; ) {
    const job = await store.jobs.get(id);
    if (job === undefined) throw new Error(`the job ${id} has vanished`);
    const picture = JSON.stringify([job.state, job.run, job.attempts]);
    if (picture !== shown) onChange(job);
    shown = picture;
    if (job.ended !== undefined) return job;
    await sleep(pause, undefined, { signal }).catch(() => {
      throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [], hint: `The job goes on: dagger queue wait ${id}` }]);
    });
  }
}
