// Starts the processes of this machine for a run that has many of them: starting one from a large process, which has a config in memory, takes
// the kernel many times as long as from this small one. Ends, with all that it started, when the run's process is gone.
import { type Command, type Ended, runCommand } from "./process.ts";

/** A command on its way here; ids are those of the run's process. Twin of `Answer`. */
export type Wish =
  | { readonly kind: "run"; readonly id: number; readonly command: Omit<Command, "signal" | "onOutput" | "onStarted"> }
  | { readonly kind: "end"; readonly id: number };

/** What becomes of it. */
export type Answer =
  | { readonly kind: "started"; readonly id: number; readonly pid: number }
  | { readonly kind: "output"; readonly id: number; readonly stream: 1 | 2; readonly data: Uint8Array }
  | { readonly kind: "ended"; readonly id: number; readonly ended: Ended };

const running = new Map<number, AbortController>();

function tell(answer: Answer): void {
  if (process.connected) process.send?.(answer);
}

async function run({ id, command }: Extract<Wish, { kind: "run" }>): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  const ended = await runCommand({
    ...command,
    signal: abort.signal,
    onOutput: (stream, data) => tell({ kind: "output", id, stream, data }),
    onStarted: (pid) => tell({ kind: "started", id, pid }),
  });
  running.delete(id);
  tell({ kind: "ended", id, ended });
}

process.on("message", (wish: Wish) => {
  if (wish.kind === "run") void run(wish);
  else running.get(wish.id)?.abort();
});
process.on("disconnect", () => {
  for (const abort of running.values()) abort.abort();
});
