// Where CUE runs: in this thread, and, when an evaluation takes long or runs out of stack there, in a thread with a far larger stack.

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Worker } from "node:worker_threads";
import { inputError, UserError } from "../../compiler/diagnostic.ts";
import { threadBeside } from "../beside.ts";
import { elapsed } from "../clock.ts";
import { GaveUp, type Instance, OutOfMemory } from "./instance.ts";
import { Program, type ProgramOptions } from "./program.ts";
import type { Request } from "./protocol.ts";

/** Go's frames lie on V8's stack: the usual 1 MB holds chains of some thousand references. */
const STACK_MB = 256;
/**
 * Milliseconds of CPU that an evaluation may take in this thread. Most take less than a tenth of it, and starting a thread would take
 * as long again; but meanwhile nothing else happens here: no answer to the daemon, no Ctrl-C.
 */
const PATIENCE = 1000;
/** Milliseconds between two looks at the CPU time: CUE asks far more often, and asking the system each time took a tenth of an evaluation. */
const LOOK = 10;

export interface HostOptions {
  readonly program: ProgramOptions;
  /** Ends what runs in the other thread, at once. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of CPU for an evaluation in this thread; 1,000 by default. */
  readonly patience?: number | undefined;
}

interface Reply {
  readonly answer?: string;
  readonly failure?: string;
}

/** Answers requests; `reset` forgets everything, so that memory does not grow from evaluation to evaluation. */
export class Host {
  readonly #options: HostOptions;
  #program: Program | undefined;
  #instance: Instance | undefined;
  /** The instance is to forget what it has evaluated before it is used again. */
  #stale = false;
  #worker: Worker | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Makes ready what `call` needs, with other threads' help; without it, `call` does so by itself. */
  async prepare(): Promise<void> {
    this.#program ??= await Program.open(this.#options.program);
  }

  /** Answers one request in this thread. Throws `NeedsWorker`, after which the instance is gone: load again `inWorker`. */
  call(request: Request): string {
    this.#program ??= new Program(this.#options.program);
    if (this.#instance === undefined) this.#instance = this.#program.start();
    else if (this.#stale) this.#instance = this.#program.startAgain(this.#instance);
    this.#stale = false;
    try {
      return this.#instance.call(request, outOf(this.#options.patience ?? PATIENCE));
    } catch (error) {
      this.#instance = undefined;
      if (error instanceof RangeError || error instanceof GaveUp) throw new NeedsWorker();
      throw error instanceof OutOfMemory ? tooLarge() : error;
    }
  }

  /** Answers one request in the other thread. Throws UserError (130) when it is ended by the signal. */
  async callInWorker(request: Request): Promise<string> {
    if (this.#aborted()) throw interrupted();
    this.#worker ??= threadBeside(import.meta.url, "cue-worker", {
      workerData: this.#options.program,
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    this.#worker.postMessage(request);
    const { answer, failure } = await replyOf(this.#worker, this.#options.signal);
    if (answer !== undefined) return answer;
    await this.#endWorker();
    if (this.#aborted()) throw interrupted();
    if (failure === "stack") throw tooDeep();
    if (failure === "memory") throw tooLarge();
    throw new Error(failure);
  }

  async reset(): Promise<void> {
    this.#stale = true;
    await this.#endWorker();
  }

  /** As `reset`, and gives the memory back, once what is to be sent at this moment was sent. */
  async release(): Promise<void> {
    const collects = this.#instance !== undefined;
    await this.close();
    if (!collects) return;
    await setImmediate();
    collectGarbage();
  }

  async close(): Promise<void> {
    await this.#endWorker();
    this.#instance = undefined;
    this.#program?.close();
    this.#program = undefined;
  }

  #aborted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  async #endWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** The evaluation needs more stack than this thread has, or more time than it can spend. */
export class NeedsWorker extends Error {}

/** Tells, when it is asked often, whether this process has used more than so many milliseconds of CPU from now on. */
function outOf(patience: number): () => boolean {
  const begin = process.cpuUsage();
  let next = elapsed() + Math.min(LOOK, patience);
  return () => {
    const now = elapsed();
    if (now < next) return false;
    next = now + LOOK;
    const { user, system } = process.cpuUsage(begin);
    return user + system > 1000 * patience;
  };
}

async function replyOf(worker: Worker, signal: AbortSignal | undefined): Promise<Reply> {
  const done = new AbortController();
  const stop = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const ended = once(worker, "exit", { signal: stop }).then((): [Reply] => [{ failure: "the CUE thread ended" }]);
  ended.catch(() => undefined);
  try {
    const [reply] = (await Promise.race([once(worker, "message", { signal: stop }), ended])) as [Reply];
    return reply;
  } catch (error) {
    const outOfMemory = (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
    return { failure: outOfMemory ? "memory" : String(error) };
  } finally {
    done.abort();
  }
}

/** What a WebAssembly memory takes is given back only when V8 collects it, which it may not do for long. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setFlagsFromString("--no-expose-gc");
  collect();
}

function tooDeep(): Error {
  return inputError({
    code: "cue-too-deep",
    message: "The configuration is nested too deeply to evaluate",
    at: [],
    hint: "Look for a value that contains or refers to itself, or split the configuration",
  });
}

function tooLarge(): Error {
  return inputError({
    code: "cue-too-large",
    message: "The configuration needs more memory than CUE may have",
    at: [],
    hint: "Look for a comprehension that makes far more than was meant, or split the configuration",
  });
}

function interrupted(): Error {
  return new UserError(130, [{ code: "interrupted", message: "interrupted", at: [] }]);
}
