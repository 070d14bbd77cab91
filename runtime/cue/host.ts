// Where CUE runs: in this thread, and, when an evaluation runs out of stack there, in a thread with a far larger one.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { inputError } from "../../compiler/diagnostic.ts";
import type { Instance } from "./instance.ts";
import { Program, type ProgramOptions } from "./program.ts";
import type { Request } from "./protocol.ts";

/** Go's frames lie on V8's stack: the usual 1 MB holds chains of some thousand references. */
const STACK_MB = 256;

/** Answers requests; `reset` forgets everything, so that memory does not grow from evaluation to evaluation. */
export class Host {
  readonly #options: ProgramOptions;
  #program: Program | undefined;
  #instance: Instance | undefined;
  #worker: Worker | undefined;

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  /** Answers one request in this thread. Throws `OutOfStack`, after which the instance is gone: load again `inWorker`. */
  call(request: Request): string {
    this.#program ??= new Program(this.#options);
    this.#instance ??= this.#program.start();
    try {
      return this.#instance.call(request);
    } catch (error) {
      this.#instance = undefined;
      if (error instanceof RangeError) throw new OutOfStack();
      throw error;
    }
  }

  /** Answers one request in the thread with the large stack. */
  async callInWorker(request: Request): Promise<string> {
    this.#worker ??= startWorker(this.#options);
    const worker = this.#worker;
    worker.postMessage(request);
    const done = new AbortController();
    const ended = once(worker, "exit", { signal: done.signal }).then(() => [{ failure: "the CUE thread ended" }]);
    ended.catch(() => undefined);
    const [reply] = (await Promise.race([once(worker, "message"), ended])) as [{ answer?: string; failure?: string }];
    done.abort();
    if (reply.answer !== undefined) return reply.answer;
    await this.#endWorker();
    if (reply.failure === "stack") throw tooDeep();
    throw new Error(reply.failure);
  }

  async reset(): Promise<void> {
    this.#instance = undefined;
    await this.#endWorker();
  }

  async close(): Promise<void> {
    await this.reset();
    this.#program?.close();
    this.#program = undefined;
  }

  async #endWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** The evaluation needs more stack than this thread has. */
export class OutOfStack extends Error {}

function tooDeep(): Error {
  return inputError({
    code: "cue-too-deep",
    message: "the configuration is nested too deeply to evaluate",
    at: [],
    hint: "look for a value that contains or refers to itself, or split the configuration",
  });
}

function startWorker(program: ProgramOptions): Worker {
  const options = { workerData: program, resourceLimits: { stackSizeMb: STACK_MB } };
  // In the bundled command line the worker is a file of its own beside the bundle.
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./cue-worker.cjs", import.meta.url), options);
  // From source, as in tests: tsx does not reach into workers by itself.
  const tsx = import.meta.resolve("tsx/esm/api");
  const file = new URL("./cue-worker.ts", import.meta.url).href;
  return new Worker(`import(${JSON.stringify(tsx)}).then((tsx) => (tsx.register(), import(${JSON.stringify(file)})));`, {
    ...options,
    eval: true,
  });
}
