// Runs one process of this machine as the leader of a group of its own, so that whatever it started ends with it.
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { savingInterrupted } from "../build/interrupt.ts";

export interface Command {
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
  readonly stdin?: string | Uint8Array;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Ends it, with all that it started: SIGTERM, and SIGKILL for what is still there after a while. */
  readonly signal: AbortSignal;
  /** How long its processes may take to end once they are told to. Milliseconds; default 5000. */
  readonly grace?: number;
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void;
  /** Told its number once it runs. */
  readonly onStarted?: (pid: number) => void;
}

/** `code` as a shell has it: 124 after its timeout, 127 where there is no such program, 128 + its number for a signal. */
export interface Ended {
  readonly code: number;
  readonly timedOut: boolean;
  /** Why there is no process. */
  readonly error?: string;
}

/** The same for those that a process left behind when it ended. */
const graceOfLeftovers = 1_000;
/** A daemon that went out of the group may keep a pipe open for ever. */
const graceOfPipes = 500;

/** Never rejects. */
export async function runCommand(command: Command): Promise<Ended> {
  const { args, env, cwd, stdin, signal, onOutput } = command;
  const [program = "", ...rest] = args;
  if (signal.aborted) return { code: 130, timedOut: false };
  const child = spawn(program, rest, { env, cwd, detached: true, stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  const exited = new Promise<Pick<Ended, "code" | "error">>((resolve) => {
    child.once("error", (cause: NodeJS.ErrnoException) =>
      resolve({ code: cause.code === "ENOENT" ? 127 : 126, error: wordsOf(cause, program) }),
    );
    child.once("exit", (code, name) => resolve({ code: code ?? 128 + (name === null ? 0 : constants.signals[name]) }));
  });
  const closed = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  child.stdout?.on("data", (data: Buffer) => onOutput(1, data));
  child.stderr?.on("data", (data: Buffer) => onOutput(2, data));
  // A process need not read what it is given.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(stdin);
  const { pid } = child;
  if (pid !== undefined) command.onStarted?.(pid);
  const stop = savingInterrupted(() => pid !== undefined && signalGroup(pid, "SIGKILL"));
  try {
    return await supervised(command, pid, exited);
  } finally {
    stop();
    await Promise.race([closed, sleep(graceOfPipes, undefined, { ref: false })]);
    release(child);
  }
}

async function supervised(
  { signal, timeout, grace = 5_000 }: Command,
  pid: number | undefined,
  exited: Promise<Pick<Ended, "code" | "error">>,
): Promise<Ended> {
  let timedOut = false;
  let ending: Promise<void> | undefined;
  const end = (): void => {
    if (pid !== undefined) ending ??= endGroup(pid, grace);
  };
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end();
        }, timeout);
  signal.addEventListener("abort", end, { once: true });
  try {
    const ended = await exited;
    if (pid !== undefined && ending === undefined) ending = endGroup(pid, graceOfLeftovers);
    await ending;
    return { ...ended, timedOut, ...(timedOut ? { code: 124 } : {}) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** Resolves when nothing of the group runs any more. */
async function endGroup(pid: number, patience: number): Promise<void> {
  if (!signalGroup(pid, "SIGTERM")) return;
  for (let waited = 0; waited < patience; waited += 20) {
    await sleep(20);
    if (!signalGroup(pid, 0)) return;
  }
  signalGroup(pid, "SIGKILL");
}

/** False when there is nobody in the group. */
function signalGroup(pid: number, name: "SIGTERM" | "SIGKILL" | 0): boolean {
  try {
    return process.kill(-pid, name);
  } catch {
    return false;
  }
}

function release(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.stdin?.destroy();
}

function wordsOf(cause: NodeJS.ErrnoException, program: string): string {
  if (cause.code === "ENOENT") return `there is no program ${program} on this machine's PATH`;
  return cause.code === "EACCES" ? `${program} cannot be executed` : cause.message;
}
