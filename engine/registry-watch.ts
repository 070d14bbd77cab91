// A push ends when its registry falls silent. The daemon tells nothing while bytes flow, and would wait for ever when they do not: so the
// registry is asked, by the daemon, whether it still answers.
import { setTimeout as sleep } from "node:timers/promises";
import type { ImageOutput } from "../compiler/index.ts";
import { UserError } from "../compiler/index.ts";

/** What the daemon can be asked through. */
interface Daemon {
  /** Milliseconds that a registry may be silent. */
  readonly patience: number;
  registryAnswers(ref: string, platform: { os: string; architecture: string }, patience: number, signal: AbortSignal): Promise<boolean>;
}

/** Waits for a push (any other export is just waited for). Throws UserError (1) `push-failed` when its registry says nothing any more. */
export async function whileHeard<T>(work: Promise<T>, output: ImageOutput, daemon: Daemon, outer: AbortSignal): Promise<T> {
  if (output.target.kind !== "push") return work;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, outer]);
  // When the push ends meanwhile, or is given up, what becomes of the question does not matter: the push itself tells.
  const ended = watch(output, daemon, signal).catch((error: unknown) => {
    if (signal.aborted) return new Promise<never>(() => undefined);
    throw error;
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    over.abort();
    work.catch(() => undefined);
  }
}

async function watch({ target, path, at }: ImageOutput, daemon: Daemon, signal: AbortSignal): Promise<never> {
  for (;;) {
    const { patience } = daemon;
    await sleep(patience / 2, undefined, { signal, ref: false });
    const answers = await daemon.registryAnswers(target.ref, { os: "linux", architecture: "amd64" }, patience / 2, signal);
    if (answers) continue;
    const seconds = Math.max(1, Math.round(patience / 2000));
    throw new UserError(1, [
      {
        code: "push-failed",
        message: `Cannot push the image ${target.ref}: its registry gives no answer within ${seconds} s`,
        path,
        at,
        hint: "Look whether the daemon reaches it, and run again; DAGGER_NETWORK_TIMEOUT says how long to wait",
      },
    ]);
  }
}
