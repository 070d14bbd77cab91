// Runs hooks: as a job of its own in the same run, whose config has what happened filled in.
import { type Diagnostic, type Hook, isWithin, type Job, UserError } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import { explainFailure } from "../build/failure.ts";
import type { HookRun, UpEvent, UpResult } from "../events.ts";
import { patienceOf } from "../flags/patience.ts";
import { KeptError } from "../passes/keep-going.ts";
import type { RunParts } from "../passes/parts.ts";
import type { UpRequest } from "../request.ts";
import { checkHooks, fillsOf } from "./check.ts";
import { beginning, eventFor, type HookEvent, type Outcome, outcomeOf } from "./event.ts";
import { LastLines } from "./last-lines.ts";

/** Runs components of a config in a build of their own, with the secrets and the steps of the run around it. */
export type Nested = (request: UpRequest, parts: RunParts, evaluation: Evaluation) => Promise<UpResult>;

/** How long hooks may take after an interrupt, milliseconds. */
const grace = 60_000;

/** What hooks gave beside the run, and what of them failed. */
interface Followed {
  readonly hooks: HookRun[];
  readonly results: UpResult[];
  readonly failures: Diagnostic[];
}

interface Due {
  readonly hook: Hook;
  readonly event: HookEvent;
}

export class HookWork {
  readonly #job: Job;
  readonly #evaluation: () => Evaluation;
  readonly #parts: RunParts;
  readonly #nested: Nested;
  readonly #lines = new LastLines();
  readonly #followed: Followed = { hooks: [], results: [], failures: [] };
  readonly #grace: number;

  constructor(job: Job, evaluation: () => Evaluation, parts: RunParts, nested: Nested) {
    this.#job = job;
    this.#evaluation = evaluation;
    this.#parts = parts;
    this.#nested = nested;
    this.#grace = patienceOf(parts.request.env, "DAGGER_HOOK_TIMEOUT") ?? grace;
  }

  take(event: UpEvent): void {
    this.#lines.take(event);
  }

  /** Throws UserError (2) when a hook could not run. */
  async check(): Promise<void> {
    await checkHooks(this.#job.graph.hooks, this.#evaluation(), this.#parts);
  }

  /** Throws UserError (1) when one fails: the run does not begin. */
  async start(): Promise<void> {
    await this.#follow(["start"], beginning, this.#parts.request.signal);
    const { failures } = this.#followed;
    if (failures.length > 0) throw new UserError(1, failures.splice(0));
  }

  /** What the run ends with, when all that follows upon it has run. The first failure stays the first. */
  async end(result: UpResult | undefined, failure: unknown): Promise<UpResult> {
    const error = failure === undefined ? undefined : explainFailure(failure, this.#parts.steps);
    if (error !== undefined && !(error instanceof UserError)) throw error instanceof Error ? error : new Error(String(error));
    const { signal } = this.#parts.request;
    const outcome = outcomeOf(error, {
      componentsOf: (digest) => this.#componentsOf(digest),
      lastLines: (digest) => this.#lines.of(digest),
    });
    if (outcome.status !== "cancelled") await this.#follow(["error", "success"], outcome, signal);
    // What ends a run, does so whatever else was cut off.
    const late = signal.aborted ? AbortSignal.timeout(this.#grace) : signal;
    await this.#follow(["exit"], outcome, late);
    return this.#told(result, error);
  }

  #told(result: UpResult | undefined, error: UserError | undefined): UpResult {
    const { failures } = this.#followed;
    const kept = error instanceof KeptError ? error.result : result;
    const whole = kept && this.#whole(kept);
    if (error !== undefined && whole === undefined && failures.length === 0) throw error;
    const all = [...(error?.diagnostics ?? []), ...failures];
    if (all.length === 0 && whole !== undefined) return whole;
    if (whole !== undefined) throw new KeptError(all, whole);
    throw new UserError(error?.exit ?? 1, all, { cause: error });
  }

  #whole(result: UpResult): UpResult {
    const { hooks, results } = this.#followed;
    const more = <T>(list: (one: UpResult) => readonly T[]): T[] => [result, ...results].flatMap(list);
    return {
      ...result,
      computed: Object.assign({}, ...more(({ computed }) => [computed])) as UpResult["computed"],
      saved: more(({ saved }) => saved),
      images: more(({ images }) => images),
      hooks,
    };
  }

  /** Equal steps of several components are one: each of them has failed with it. */
  #componentsOf(digest: string): string[] {
    const nodes = this.#job.definition.nodes.filter((node) => node.digest === digest);
    return nodes.flatMap(({ vertices }) => vertices.map(({ meta }) => meta.component));
  }

  async #follow(moments: readonly Hook["on"][], outcome: Outcome, signal: AbortSignal): Promise<void> {
    const due = this.#job.graph.hooks.flatMap((hook): Due[] => {
      const event = moments.includes(hook.on) ? eventFor(hook, outcome) : undefined;
      return event === undefined ? [] : [{ hook, event }];
    });
    if (due.length === 0) return;
    const paths = due.map(({ hook }) => hook.path);
    this.#parts.request.onEvent({ type: "hooks", hooks: due.map(({ hook: { path, on, of } }) => ({ path, on, of })) });
    const failed = await this.#run(paths, due, signal);
    for (const { hook } of due) {
      const state = failed.some((one) => one === undefined || isWithin(one, hook.path)) ? "failed" : "done";
      this.#followed.hooks.push({ path: hook.path, on: hook.on, of: hook.of, state });
    }
  }

  /** Paths of what failed; undefined for what is a failure of all of them. */
  async #run(targets: readonly string[], due: readonly Due[], signal: AbortSignal): Promise<(string | undefined)[]> {
    const { results, failures } = this.#followed;
    try {
      const fills = fillsOf(this.#parts.scrubber.data(due));
      const now = this.#evaluation();
      const evaluation = fills.length === 0 ? now : await now.fill(fills);
      results.push(await this.#nested(this.#request(targets, signal), this.#parts, evaluation));
      return [];
    } catch (error) {
      const told = explainFailure(error, this.#parts.steps);
      if (!(told instanceof UserError)) throw told instanceof Error ? told : new Error(String(told));
      if (told instanceof KeptError) results.push(told.result);
      if (told.exit === 130) failures.push(ended(targets, signal, this.#grace));
      else failures.push(...told.diagnostics);
      return told instanceof KeptError ? told.diagnostics.map(({ path }) => path) : [undefined];
    }
  }

  /** What they load of the job is not made again. None stops another. */
  #request(targets: readonly string[], signal: AbortSignal): UpRequest {
    const { plan: _, reports: _reports, shellOnError: _shell, known: _known, trigger: _trigger, ...rest } = this.#parts.request;
    return { ...rest, targets, signal, keepGoing: true, gradual: false, noCache: false };
  }
}

function ended(targets: readonly string[], { reason }: AbortSignal, grace: number): Diagnostic {
  const late = reason instanceof DOMException && reason.name === "TimeoutError";
  return {
    code: "hook-ended",
    message: `${targets.length === 1 ? "Hook" : "Hooks"} ${targets.join(", ")} ended before ${targets.length === 1 ? "its" : "their"} end: ${late ? `longer than ${grace / 1000}s after the interrupt` : "interrupted"}`,
    at: [],
    ...(late ? { hint: "Give them more time with DAGGER_HOOK_TIMEOUT, such as 5m" } : {}),
  };
}
