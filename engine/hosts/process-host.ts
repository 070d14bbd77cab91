// Starts the processes of this machine for a run that has many of them: starting one from a large process, which has a config in memory, takes
// the kernel many times as long as from this small one. It is told of some before their turn, so that one follows upon the other at once.
// Ends, with all that it started, when the run's process is gone.
import { type Command, type Ended, runCommand } from "./process.ts";
import { Turns } from "./turns.ts";

/** A command on its way here; ids are those of the run's process. Twin of `Answer`. Both go in lists: each message costs more than what it says. */
export type Wish =
  /** The first of all. */
  | { readonly kind: "begin"; readonly atOnce: number }
  | { readonly kind: "run"; readonly id: number; readonly command: Omit<Command, "signal" | "onOutput" | "onStarted"> }
  | { readonly kind: "end"; readonly id: number }
  /** Whoever follows the run knows of one that did not end with 0, and has ended the others if it should: nothing starts before. */
  | { readonly kind: "on" };

/** What becomes of it. */
export type Answer =
  | { readonly kind: "started"; readonly id: number; readonly pid: number }
  | { readonly kind: "output"; readonly id: number; readonly stream: 1 | 2; readonly data: Uint8Array }
  | { readonly kind: "ended"; readonly id: number; readonly ended: Ended };

const running = new Map<number, AbortController>();
let turns = new Turns(0);
let answers: Answer[] = [];

function tell(answer: Answer): void {
  if (answers.push(answer) > 1) return;
  setImmediate(() => {
    if (process.connected) process.send?.(answers);
    answers = [];
  });
}

async function run({ id, command }: Extract<Wish, { kind: "run" }>): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  await turns.take();
  const ended = await runCommand({
    ...command,
    signal: abort.signal,
    onOutput: (stream, data) => tell({ kind: "output", id, stream, data }),
    onStarted: (pid) => tell({ kind: "started", id, pid }),
  });
  running.delete(id);
  tell({ kind: "ended", id, ended });
  if (ended.code !== 0) turns.hold();
  turns.give();
}

function hear(wish: Wish): void {
  if (wish.kind === "run") void run(wish);
  else if (wish.kind === "end") running.get(wish.id)?.abort();
  else if (wish.kind === "begin") turns = new Turns(wish.atOnce);
  else turns.release();
}

process.on("message", (wishes: readonly Wish[]) => wishes.forEach(hear));
process.on("disconnect", () => {
  for (const abort of running.values()) abort.abort();
});
