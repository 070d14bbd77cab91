// The hooks of a run, beside its passes. A run without any loads nothing of what runs them.
import type { Job } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import type { RunParts } from "../passes/parts.ts";
import type { UpRequest } from "../request.ts";
import type { HookWork, Nested } from "./work.ts";

export class Hooks {
  /** The request of the run that they belong to. */
  readonly request: UpRequest;
  #work: HookWork | undefined;
  #parts: { readonly run: RunParts; readonly nested: Nested } | undefined;

  constructor(request: UpRequest) {
    const onEvent = (event: UpEvent): void => {
      this.#work?.take(event);
      request.onEvent(event);
    };
    this.request = { ...request, onEvent };
  }

  /** Called when the job is known and nothing of it has run. Throws UserError: 2 when a hook could not run, 1 when one fails without which it does not begin. */
  async begun(job: Job, evaluation: () => Evaluation): Promise<void> {
    if (job.graph.hooks.length === 0 || this.#parts === undefined) return;
    const { HookWork } = await import("./work.ts");
    const work = new HookWork(job, evaluation, this.#parts.run, this.#parts.nested);
    await work.check();
    this.#work = work;
    await work.start();
  }

  /** Does the work of a run, and then what follows upon it. Throws as the work does, with the failures of hooks behind its own. */
  async around(run: RunParts, nested: Nested, work: () => Promise<UpResult>): Promise<UpResult> {
    this.#parts = { run, nested };
    let result: UpResult | undefined;
    let failure: unknown;
    try {
      result = await work();
    } catch (error) {
      failure = error;
    }
    if (this.#work !== undefined) return this.#work.end(result, failure);
    if (result === undefined) throw failure;
    return result;
  }
}
