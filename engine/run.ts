// The passes of a run: compile → solve → fill in values → once more while CUE waits for values; the last pass brings everything back.
import type { Job } from "../compiler/index.ts";
import { UserError } from "../compiler/index.ts";
import type { Evaluation } from "../runtime/cue/index.ts";
import type { Build, ResultRef } from "../runtime/solve/index.ts";
import { SolveError } from "../runtime/solve/index.ts";
import type { Computed } from "./computed.ts";
import { fillComputed, readComputed } from "./computed.ts";
import type { Config } from "./config.ts";
import { compileConfig } from "./config.ts";
import type { Offer, OpenBuild } from "./connect.ts";
import { entitlementsOf } from "./entitlements.ts";
import type { ImageExports } from "./exports.ts";
import { digestValues } from "./exports.ts";
import { frontendPort } from "./frontends.ts";
import { imagePort } from "./images.ts";
import { solveApart } from "./keep-going.ts";
import { checkArchives, checkLocals } from "./locals.ts";
import { loginsOf } from "./logins.ts";
import { noProgress, stuckError } from "./passes.ts";
import type { ShellRequest, UpRequest } from "./request.ts";
import type { SecretSource } from "./secrets.ts";
import { requireSecrets } from "./secrets.ts";
import { noComponent, shellAfter, shellIn } from "./shell.ts";
import type { StepTracker } from "./steps.ts";

export interface Done {
  readonly job: Job;
  readonly evaluation: Evaluation;
  readonly computed: Readonly<Record<string, unknown>>;
  /** Per pass, the paths that it waited for. */
  readonly because: readonly (readonly string[])[];
  /** Of components, where the run kept going. */
  readonly failures: readonly SolveError[];
}

export interface RunParts {
  readonly request: UpRequest;
  readonly config: Config;
  readonly offer: Offer;
  readonly opening: Promise<OpenBuild>;
  readonly steps: StepTracker;
  readonly secrets: ReadonlyMap<string, SecretSource>;
  readonly exports: ImageExports;
}

/** The passes of one job, all of them inside one build of the daemon. */
export class Run {
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  async passes(): Promise<Done> {
    const { because, evaluation, job } = await this.#untilComplete();
    const last = this.#parts.request.keepGoing === true ? this.#lastKeptGoing(evaluation, job) : this.#last(evaluation, job);
    return { because, ...(await last) };
  }

  async shell(request: ShellRequest): Promise<number> {
    const { evaluation, job } = await this.#untilComplete();
    const component = job.graph.components.find(({ path }) => path === request.component);
    if (component === undefined) throw noComponent(request.component, job);
    this.#parts.offer.entitle(entitlementsOf(evaluation.root));
    return shellIn((await this.#parts.opening).build, job, component, request);
  }

  /** Runs pass after pass until nothing waits for computed values; the last job is compiled, not run. */
  async #untilComplete(): Promise<Pick<Done, "job" | "evaluation" | "because">> {
    const because: (readonly string[])[] = [[]];
    let evaluation = this.#parts.config.evaluation;
    let before: Job | undefined;
    for (;;) {
      const job = await this.#compile(evaluation);
      if (job.deferred.length === 0) {
        // The memory that CUE took is better used by what is sent and received now.
        if (!givesValues(job)) void this.#parts.config.release();
        return { because, evaluation, job };
      }
      if (!givesValues(job) || (before !== undefined && noProgress(before, job))) throw stuckError(job);
      evaluation = await this.#early(evaluation, job);
      before = job;
      const waited = [...new Set(job.deferred.flatMap((component) => component.missing.map((missing) => missing.path)))];
      because.push(waited);
      this.#parts.request.onEvent({ type: "pass", pass: because.length, because: waited });
    }
  }

  async #compile(evaluation: Evaluation): Promise<Job> {
    const { request, config, offer, opening, steps, secrets } = this.#parts;
    request.onEvent({ type: "phase", phase: "compile" });
    offer.logins = () => loginsOf(evaluation.root);
    // The daemon grants what a build may do when it starts, and asking it for anything starts it.
    const started = async (): Promise<OpenBuild> => {
      offer.entitle(entitlementsOf(evaluation.root));
      return opening;
    };
    const images = imagePort(process.env, offer, async (image) => (await started()).remoteImage(image));
    const serve = async (locals: Job["locals"]): Promise<void> => {
      await checkLocals(locals, { root: config.workspace, own: config.own });
      offer.serveLocals(locals);
    };
    const frontends = frontendPort({ open: started, serve, localImages: (platform) => images.local(platform) });
    const job = await compileConfig(config, evaluation, { images, frontends }, request);
    requireSecrets(job, secrets);
    await serve(job.locals);
    await checkArchives(job.images, config.workspace);
    offer.prepare(job);
    request.onEvent({ type: "phase", phase: "connect" });
    const definitions = [job.definition, ...job.images.flatMap(definitionsOf)];
    for (const definition of definitions) await (await opening).check(definition);
    await this.#parts.exports.check(job.images);
    steps.plan(...definitions);
    request.onEvent({ type: "phase", phase: "solve" });
    return job;
  }

  /** A pass whose values CUE needs: solved through the gateway, nothing is exported yet. */
  async #early(evaluation: Evaluation, job: Job): Promise<Evaluation> {
    // Further passes may ask for more than this one does, and what a build may do is settled when it starts.
    this.#parts.offer.entitle(entitlementsOf(evaluation.root));
    const { build } = await this.#parts.opening;
    const read = async (): Promise<Computed[]> => {
      const ref = await this.#solve(build, job);
      return readComputed(job, (file) => build.readFile(ref, file));
    };
    const computed = await this.#together(job.graph.terminal === null ? Promise.resolve([]) : read(), job.images);
    return fillComputed(evaluation, computed);
  }

  /** As `#last`, each component apart from the others; what succeeded is what the build ends with. */
  async #lastKeptGoing(evaluation: Evaluation, job: Job): Promise<Omit<Done, "because">> {
    const { offer, opening, exports } = this.#parts;
    offer.entitle(entitlementsOf(evaluation.root));
    const { build } = await opening;
    const pushing = exports.start(job.images);
    for (const push of pushing) push.catch(() => undefined);
    const { succeeded, failures } = await solveApart(build, job);
    const kept: Job = failures.length === 0 ? job : { ...job, ...job.part(succeeded) };
    if (kept !== job) offer.prepare(kept);
    if (kept.definition.ops.length > 0) await build.finish(kept.definition.encoded);
    const values = kept.definition.ops.length > 0 ? await readComputed(kept, (file) => offer.value(file)) : [];
    const computed = [...values, ...(await Promise.all(pushing)).flatMap(digestValues)];
    return { job: kept, failures, evaluation: await fillComputed(evaluation, computed), computed: byPath(computed) };
  }

  /** The pass that brings everything back through the job's one Solve. */
  async #last(evaluation: Evaluation, job: Job): Promise<Omit<Done, "because">> {
    const { build } = await this.#parts.opening;
    const finish = async (): Promise<Computed[]> => {
      await build.finish(this.#parts.request.shellOnError === undefined ? job.definition.encoded : await this.#solve(build, job));
      return readComputed(job, (file) => this.#parts.offer.value(file));
    };
    const computed = await this.#together(job.graph.terminal === null ? Promise.resolve([]) : finish(), job.images);
    return {
      job,
      failures: [],
      evaluation: await fillComputed(evaluation, computed),
      computed: byPath(computed),
    };
  }

  /** Through the gateway, where what failed can be looked into. */
  async #solve(build: Build, job: Job): Promise<ResultRef> {
    try {
      return await build.solve(job.definition.encoded);
    } catch (error) {
      const { shellOnError } = this.#parts.request;
      if (shellOnError !== undefined && error instanceof SolveError && error.failure.exec !== undefined) {
        await shellAfter(build, error.failure.exec, shellOnError).catch((why: unknown) => this.#noShell(why));
      }
      throw error;
    }
  }

  /** What keeps a shell from being opened must not hide why one was wanted. */
  #noShell(why: unknown): void {
    const detail = why instanceof UserError ? why.diagnostics.flatMap(({ hint }) => hint ?? []) : [];
    const message = why instanceof Error ? why.message : String(why);
    this.#parts.request.onEvent({ type: "warning", message: `No shell could be opened: ${message}`, detail, at: [] });
  }

  /** The job's own solve and those of its images, side by side: when one fails the others end too. */
  async #together(own: Promise<Computed[]>, images: Job["images"]): Promise<Computed[]> {
    const { exports, opening } = this.#parts;
    const pushing = exports.start(images);
    try {
      const [computed, ...done] = await Promise.all([own, ...pushing]);
      return [...computed, ...done.flatMap(digestValues)];
    } catch (error) {
      exports.cancel();
      await (await opening).build.abort();
      await Promise.allSettled([own, ...pushing]);
      throw error;
    }
  }
}

function byPath(computed: readonly Computed[]): Done["computed"] {
  return Object.fromEntries(computed.map((value) => [value.path, JSON.parse(value.json) as unknown]));
}

function definitionsOf({ platforms, after }: Job["images"][number]): Job["definition"][] {
  return [...platforms.map(({ definition }) => definition), ...(after === undefined ? [] : [after])].filter(({ ops }) => ops.length > 0);
}

function givesValues(job: Job): boolean {
  return job.values.length > 0 || job.images.some(({ values }) => values.length > 0);
}
