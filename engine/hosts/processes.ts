// Runs the processes of a run's host steps: its own process starts a few, and a small one of its own starts many.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { savingInterrupted } from "../build/interrupt.ts";
import { type Command, type Ended, runCommand } from "./process.ts";
import type { Answer, Wish } from "./process-host.ts";

/** Steps from which on a process that starts them is worth its own start. */
const many = 24;

interface Waiting {
  readonly command: Command;
  readonly resolve: (ended: Ended) => void;
  stop?: () => void;
}

export class Processes {
  #child: ChildProcess | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** `steps`: how many there are to run. */
  prepare(steps: number): void {
    if (steps < many || this.#child !== undefined) return;
    // A group of its own: Ctrl-C is for the run, which tells it.
    const child = spawn(process.execPath, hostArgs(), {
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: {},
    });
    child.on("message", (answer: Answer) => this.#hear(answer));
    child.once("error", () => this.#lost());
    child.once("exit", () => this.#lost());
    this.#child = child;
  }

  /** As `runCommand`: never rejects. */
  run(command: Command): Promise<Ended> {
    const child = this.#child;
    if (child?.connected !== true) return runCommand(command);
    if (command.signal.aborted) return Promise.resolve({ code: 130, timedOut: false });
    const { signal, args, env, cwd, stdin, timeout, grace } = command;
    const id = ++this.#last;
    const tell = (wish: Wish): void => void (child.connected && child.send(wish, () => undefined));
    const end = (): void => tell({ kind: "end", id });
    return new Promise<Ended>((resolve) => {
      this.#waiting.set(id, { command, resolve });
      signal.addEventListener("abort", end, { once: true });
      tell({ kind: "run", id, command: { args, env, cwd, ...given({ stdin, timeout, grace }) } });
    }).finally(() => signal.removeEventListener("abort", end));
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.disconnect();
    child?.unref();
  }

  #hear(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.kind === "ended") this.#end(answer.id, answer.ended);
    else if (answer.kind === "output") waiting.command.onOutput(answer.stream, answer.data);
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

/** Node's arguments for the process: in a bundle its file lies beside this one. */
function hostArgs(): string[] {
  // The bundle puts its own address in place of these very words.
  const url = import.meta.url;
  if (url.endsWith(".js")) return [fileURLToPath(new URL("./process-host.js", url))];
  if (!url.endsWith(".ts")) return [fileURLToPath(new URL("./process-host.cjs", url))];
  return ["--import", import.meta.resolve("tsx"), fileURLToPath(new URL("./process-host.ts", url))];
}
