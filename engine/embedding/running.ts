// Runs as embedding programs follow them: by a listener, in a loop, or by an id.
import { inputError } from "../../compiler/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import { EventQueue } from "./events.ts";
import type { SubmitOptions, UpOptions } from "./requests.ts";

/** A run that was started. */
export interface StartedRun {
  /** Everything that happens, in order, from the start on: for one reader. The loop ends with the run, also with one that fails. */
  readonly events: AsyncIterableIterator<UpEvent, undefined>;
  /** As of `up`. */
  readonly result: Promise<UpResult>;
  /** Ends the run, on the daemon too: `result` rejects with exit 130. */
  cancel(): void;
}

/** A run that was submitted. */
export interface SubmittedRun {
  /** By which `runs` knows it, here and in other processes. */
  readonly id: string;
  /** False: a run with this idempotency key was there already, and nothing was started. */
  readonly created: boolean;
  /** As of `up`; not there when nothing was started. `runs.wait(id)` is for both. */
  readonly result?: Promise<UpResult>;
  /** Ends the run, wherever it goes on. */
  cancel(): Promise<void>;
}

/** Hears the events of a run; a listener that throws ends the run. */
export class Listener {
  readonly #controller = new AbortController();
  readonly #tell: (event: UpEvent) => void;
  #thrown: { readonly error: unknown } | undefined;
  readonly signal: AbortSignal;

  constructor(outer: AbortSignal, tell: (event: UpEvent) => void) {
    this.#tell = tell;
    this.signal = this.#controller.signal;
    // The outer one is of this call only.
    outer.addEventListener("abort", () => this.#controller.abort(outer.reason), { once: true });
    if (outer.aborted) this.#controller.abort(outer.reason);
  }

  hear(event: UpEvent): void {
    if (this.#thrown !== undefined) return;
    try {
      this.#tell(event);
    } catch (error) {
      this.#thrown = { error };
      this.#controller.abort();
    }
  }

  async watch<T>(running: Promise<T>): Promise<T> {
    const settled = await running.then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return settled();
  }
}

/** Runs it, and keeps its events for a reader. */
export function started(of: UpOptions, doUp: (of: UpOptions, tell: (event: UpEvent) => void) => Promise<UpResult>): StartedRun {
  const events = new EventQueue();
  const controller = new AbortController();
  const abort = (): void => controller.abort(of.signal?.reason);
  of.signal?.addEventListener("abort", abort, { once: true });
  if (of.signal?.aborted === true) abort();
  const result = doUp({ ...of, signal: controller.signal }, (event) => events.push(event)).finally(() => {
    of.signal?.removeEventListener("abort", abort);
    events.end();
  });
  // Whoever reads events first asks for the result later.
  result.catch(() => undefined);
  return { events, result, cancel: () => controller.abort() };
}

type Begin = (
  of: UpOptions,
  more: Pick<SubmitOptions, "idempotencyKey"> & { onRecorded(run: string, created: boolean): void },
) => Promise<UpResult>;

/** Resolves when the run is recorded, which is before anything of it runs. */
export async function submitted(of: SubmitOptions, begin: Begin, cancel: (run: string) => Promise<unknown>): Promise<SubmittedRun> {
  const { idempotencyKey, ...options } = of;
  let onRecorded: (run: string, created: boolean) => void = () => undefined;
  const recorded = new Promise<{ readonly id: string; readonly created: boolean }>((resolve) => {
    onRecorded = (id, created) => resolve({ id, created });
  });
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const result = begin(options, { ...key, onRecorded });
  // Whoever submits may ask for the result later, or never.
  result.catch(() => undefined);
  const { id, created } = await Promise.race([recorded, result.then(() => notRecorded())]);
  return { id, created, ...(created ? { result } : {}), cancel: async () => void (await cancel(id)) };
}

/** It ran, and nobody could find it again. */
function notRecorded(): never {
  throw inputError({
    code: "no-workspace",
    message: "Nothing recorded the run that was submitted: there is neither a workspace around its config nor a store",
    at: [],
    hint: "Make a workspace with stacks.init, or give createEngine a store",
  });
}
