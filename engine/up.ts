// The story of one run: load → evaluate → compile → solve → fill in values → once more while CUE waits for values → result.
import type { Job } from "../compiler/index.ts";
import type { Evaluation } from "../runtime/cue/index.ts";
import { readClientId } from "../runtime/session/index.ts";
import { fillComputed, readComputed } from "./computed.ts";
import type { Config } from "./config.ts";
import { compileConfig, loadConfig } from "./config.ts";
import type { OpenBuild } from "./connect.ts";
import { openBuild } from "./connect.ts";
import { entitlementsOf } from "./entitlements.ts";
import type { UpEvent, UpResult } from "./events.ts";
import { explainFailure } from "./failure.ts";
import { imagePort } from "./images.ts";
import { checkLocals } from "./locals.ts";
import { noProgress, stuckError } from "./passes.ts";
import type { SecretSource } from "./secrets.ts";
import { checkSecrets, parseSecrets, requireSecrets, secretReader } from "./secrets.ts";
import { StepTracker } from "./steps.ts";

export interface UpRequest {
  /** Directory (or one CUE file) of the config. */
  readonly dir: string;
  /** CUE paths of the components to compute; empty means all. */
  readonly targets: readonly string[];
  /** `path=value` texts. */
  readonly inputs: readonly string[];
  /** `ID=env:NAME` or `ID=file:PATH` texts. */
  readonly secrets?: readonly string[];
  /** Address of the daemon; without it BUILDKIT_HOST, a standard socket or the embedded daemon is used. */
  readonly buildkit?: string;
  readonly noCache: boolean;
  /** Aborting cancels the job on the daemon too; `up` then rejects with exit code 130. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: UpEvent) => void;
}

/** Runs a job. Throws UserError: 1 the job failed, 2 the input is wrong, 3 the environment is, 130 interrupted. */
export async function up(request: UpRequest): Promise<UpResult> {
  const begin = performance.now();
  const secrets = parseSecrets(request.secrets ?? []);
  await checkSecrets(secrets, process.env);
  const steps = new StepTracker(request.onEvent);

  // Connecting (which may start the daemon) goes on while CUE evaluates; what CUE has to say comes first.
  const opening = openBuild(request, secretReader(secrets, process.env), steps, readClientId(process.env));
  opening.catch(() => undefined);
  request.onEvent({ type: "phase", phase: "evaluate" });
  const config = await loadConfig(request).catch(async (error: unknown) => {
    await opening.then((open) => open.close()).catch(() => undefined);
    throw error;
  });
  try {
    request.onEvent({ type: "phase", phase: "connect" });
    const open = await opening;
    try {
      const done = await new Run(request, config, open, steps, secrets).passes();
      request.onEvent({ type: "phase", phase: "save" });
      const saved = await open.commit(done.job);
      return {
        values: done.evaluation.exportJson(),
        computed: done.computed,
        saved,
        passes: done.because.map((because) => ({ because })),
        steps: steps.summary(),
        ms: Math.round(performance.now() - begin),
      };
    } finally {
      await open.close();
    }
  } catch (error) {
    throw explainFailure(error, steps);
  } finally {
    config.close();
  }
}

interface Done {
  readonly job: Job;
  readonly evaluation: Evaluation;
  readonly computed: Readonly<Record<string, unknown>>;
  /** Per pass, the paths that it waited for. */
  readonly because: readonly (readonly string[])[];
}

/** The passes of one job, all of them inside one build of the daemon. */
class Run {
  readonly #request: UpRequest;
  readonly #config: Config;
  readonly #open: OpenBuild;
  readonly #steps: StepTracker;
  readonly #secrets: ReadonlyMap<string, SecretSource>;

  constructor(request: UpRequest, config: Config, open: OpenBuild, steps: StepTracker, secrets: ReadonlyMap<string, SecretSource>) {
    this.#request = request;
    this.#config = config;
    this.#open = open;
    this.#steps = steps;
    this.#secrets = secrets;
  }

  async passes(): Promise<Done> {
    const because: (readonly string[])[] = [[]];
    let evaluation = this.#config.evaluation;
    let before: Job | undefined;
    for (;;) {
      const job = await this.#compile(evaluation);
      if (job.deferred.length === 0) return { because, ...(await this.#last(evaluation, job)) };
      if (job.values.length === 0 || (before !== undefined && noProgress(before, job))) throw stuckError(job);
      evaluation = await this.#early(evaluation, job);
      before = job;
      const waited = [...new Set(job.deferred.flatMap((component) => component.missing.map((missing) => missing.path)))];
      because.push(waited);
      this.#request.onEvent({ type: "pass", pass: because.length, because: waited });
    }
  }

  async #compile(evaluation: Evaluation): Promise<Job> {
    this.#request.onEvent({ type: "phase", phase: "compile" });
    const images = imagePort(process.env, this.#open, (image) => {
      // The daemon grants what a build may do when it starts, and asking for an image starts it.
      this.#open.entitle(entitlementsOf(evaluation.root));
      return this.#open.remoteImage(image);
    });
    const job = await compileConfig(this.#config, evaluation, { images }, this.#request);
    requireSecrets(job, this.#secrets);
    await checkLocals(job, { root: this.#config.workspace, own: this.#config.own });
    this.#open.prepare(job);
    this.#steps.plan(job.definition);
    this.#request.onEvent({ type: "phase", phase: "solve" });
    return job;
  }

  /** A pass whose values CUE needs: solved through the gateway, nothing is exported yet. */
  async #early(evaluation: Evaluation, job: Job): Promise<Evaluation> {
    // Further passes may ask for more than this one does, and what a build may do is settled when it starts.
    this.#open.entitle(entitlementsOf(evaluation.root));
    const { build } = this.#open;
    const ref = await build.solve(job.definition.encoded);
    return fillComputed(evaluation, await readComputed(job, (file) => build.readFile(ref, file)));
  }

  /** The pass that brings everything back through the job's one Solve. */
  async #last(evaluation: Evaluation, job: Job): Promise<Omit<Done, "because">> {
    if (job.graph.terminal !== null) await this.#open.build.finish(job.definition.encoded);
    const computed = await readComputed(job, (file) => this.#open.value(file));
    return {
      job,
      evaluation: await fillComputed(evaluation, computed),
      computed: Object.fromEntries(computed.map((value) => [value.path, JSON.parse(value.json) as unknown])),
    };
  }
}
