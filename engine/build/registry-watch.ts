// A push ends when its registry falls silent, and when its time is over. The daemon tells nothing while bytes flow, and would wait for ever
// when they do not: so the registry is asked, by the daemon, whether it still answers.
import { setTimeout as sleep } from "node:timers/promises";
import type { ImageOutput } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";

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
  const watched = Promise.race([watch(output, daemon, signal), limit(output, daemon, signal)]);
  const ended = watched.catch((error: unknown) => {
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

/** Without a limit of its own, a push may take this many times the patience: six hours, by default. */
const defaultLimit = 120;
const longest = 2 ** 31 - 1;

async function limit({ target, path, at, timeout }: ImageOutput, { patience }: Daemon, signal: AbortSignal): Promise<never> {
  const time = Math.min(timeout ?? patience * defaultLimit, longest);
  await sleep(time, undefined, { signal, ref: false });
  throw new UserError(1, [
    {
      code: "push-failed",
      message: `Cannot push the image ${target.ref}: it is not done after ${words(time)}, though its registry answers`,
      path,
      at,
      hint: "Look whether the registry takes what is sent to it; timeout of the op gives the push more time",
    },
  ]);
}

/** `6 h`, `90 s`. */
function words(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
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
