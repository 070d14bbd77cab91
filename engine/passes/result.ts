// What a run gives: the passes, then all that came of them put in place.
import { undoneOf, warnUndone } from "../config/gradual.ts";
import type { UpResult } from "../events.ts";
import type { RunObserver } from "../observers.ts";
import type { Testing } from "../testing/testing.ts";
import { explainAll, KeptError } from "./keep-going.ts";
import type { RunParts } from "./parts.ts";
import type { Run } from "./run.ts";

interface Around {
  /** As process.hrtime tells it. */
  readonly begin: bigint;
  readonly observer?: RunObserver | undefined;
  readonly testing?: Testing | undefined;
}

/** Throws as the passes do, and KeptError when some of it failed. */
export async function resultOf(
  run: Run,
  { offer, exports, steps, request }: RunParts,
  { begin, observer, testing }: Around,
): Promise<UpResult> {
  const done = await run.passes();
  // Otherwise what was left is among the failures.
  const undone = request.gradual === true ? undoneOf(done.job) : [];
  for (const warning of warnUndone(undone)) request.onEvent(warning);
  request.onEvent({ type: "phase", phase: "save" });
  const saved = await offer.commit(done.job);
  const reports = new Set(done.job.tests.flatMap((one) => one.reports.map(({ dest }) => dest)));
  observer?.saved(saved);
  const images = await exports.commit(done.images);
  observer?.saved(images.flatMap(({ path, dest }) => (dest === undefined ? [] : [{ path, dest }])));
  const findings = explainAll(done.failures, steps);
  const result = {
    values: done.evaluation.exportJson(),
    computed: done.computed,
    saved: saved.filter(({ dest }) => !reports.has(dest)),
    images,
    ...(testing === undefined ? {} : { tests: testing.report(done.job, done.failed, findings) }),
    ...(done.job.waiting.length === 0 ? {} : { waiting: done.job.waiting }),
    ...(undone.length === 0 ? {} : { undone: undone.map(({ path, missing }) => ({ path, missing: missing.map((one) => one.path) })) }),
    passes: done.passes,
    steps: steps.summary(),
    ms: Number((process.hrtime.bigint() - begin) / 1_000_000n),
  };
  if (findings.length > 0) throw new KeptError(findings, result);
  return result;
}
