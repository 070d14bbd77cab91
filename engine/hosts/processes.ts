// Runs the processes of a run's host steps: its own process starts a few, and a small one of its own starts many.

import { type ChildProcess, spawn } from "node:child_process";
import { processBeside } from "../../runtime/beside.ts";
import { savingInterrupted } from "../build/interrupt.ts";
import { type Command, type Ended, runCommand } from "./process.ts";
import type { Answer, Wish } from "./process-host.ts";
import { Turns } from "./turns.ts";

/** Steps from which on a process that starts them is worth its own start. */
const many = 24;

/** What Node has in memory is what makes starting a process from it slow: without threads, and with little that is kept of what it made. */
const lean = ["--single-threaded", "--max-semi-space-size=1"];

interface Waiting {
  readonly command: Command;
  readonly resolve: (ended: Ended) => void;
  stop?: () => void;
}

export class Processes {
  #child: ChildProcess | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #atOnce: number;
  readonly #turns: Turns;
  #wishes: Wish[] = [];
  #last = 0;

  /** `atOnce`: how many run at the same time. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
    this.#turns = new Turns(atOnce);
  }

  /** `steps`: how many there are to run. Gives how many are best asked for at the same time: those that run, and the next ones. */
  prepare(steps: number): number {
    if (steps >= many && this.#child === undefined) this.#start();
    return this.#child === undefined ? this.#atOnce : 2 * this.#atOnce;
  }

  #start(): void {
    // A group of its own: Ctrl-C is for the run, which tells it.
    const child = spawn(process.execPath, [...lean, ...processBeside(import.meta.url, "process-host")], {
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: {},
    });
    child.on("message", (answers: readonly Answer[]) => {
      for (const answer of answers) this.#hear(answer);
    });
    child.once("error", () => this.#lost());
    child.once("exit", () => this.#lost());
    this.#child = child;
    this.#tell({ kind: "begin", atOnce: this.#atOnce });
  }

  /** As `runCommand`, when its turn has come: never rejects. */
  run(command: Command): Promise<Ended> {
    if (this.#child?.connected !== true) return this.#here(command);
    if (command.signal.aborted) return Promise.resolve({ code: 130, timedOut: false });
    const { signal, args, env, cwd, stdin, timeout, grace } = command;
    const id = ++this.#last;
    const end = (): void => this.#tell({ kind: "end", id });
    return new Promise<Ended>((resolve) => {
      this.#waiting.set(id, { command, resolve });
      signal.addEventListener("abort", end, { once: true });
      this.#tell({ kind: "run", id, command: { args, env, cwd, ...given({ stdin, timeout, grace }) } });
    }).finally(() => signal.removeEventListener("abort", end));
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.disconnect();
    child?.unref();
  }

  async #here(command: Command): Promise<Ended> {
    await this.#turns.take();
    return runCommand(command).finally(() => this.#turns.give());
  }

  /** Wishes of one turn of the event loop go in one message. */
  #tell(wish: Wish): void {
    if (this.#wishes.push(wish) > 1) return;
    setImmediate(() => {
      if (this.#child?.connected === true) this.#child.send(this.#wishes, () => undefined);
      this.#wishes = [];
    });
  }

  #hear(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.kind === "ended") {
      this.#end(answer.id, answer.ended);
      // By then whoever waited for it has ended the others, if they are to end.
      if (answer.ended.code !== 0) setImmediate(() => this.#tell({ kind: "on" }));
    } else if (answer.kind === "output") waiting.command.onOutput(answer.stream, answer.data);
    else {
      waiting.stop = savingInterrupted(() => killGroup(answer.pid));
      waiting.command.onStarted?.(answer.pid);
    }
  }

  #end(id: number, ended: Ended): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.stop?.();
    waiting?.resolve(ended);
  }

  /** Somebody ended it: what it ran cannot be followed any more. */
  #lost(): void {
    for (const id of [...this.#waiting.keys()]) this.#end(id, { code: 137, timedOut: false, error: "the process that started it is gone" });
  }
}

/** Only what can be sent to another process, and is there. */
function given({
  stdin,
  timeout,
  grace,
}: { [Key in "stdin" | "timeout" | "grace"]: Command[Key] | undefined }): Pick<Command, "stdin" | "timeout" | "grace"> {
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(grace === undefined ? {} : { grace }),
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
