// The passes of a run: compile → solve → fill in values → once more while CUE waits for values; the last pass brings everything back.
import type { Job, UserError } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import type { Build } from "../../runtime/solve/index.ts";
import { entitlementsOf } from "../build/entitlements.ts";
import { digestValues } from "../build/exports.ts";
import type { ShellRequest } from "../request.ts";
import { noComponent, shellIn } from "../shell/shell.ts";
import type { Computed } from "./computed.ts";
import { fillComputed, readComputed } from "./computed.ts";
import { Hosts } from "./hosts.ts";
import { Jobs } from "./jobs.ts";
import { Kept } from "./keep-going.ts";
import type { Sorted } from "./kept-values.ts";
import { fillWhatFits, readWhatCan } from "./kept-values.ts";
import type { Done, Pass, RunParts } from "./parts.ts";
import { noProgress, stuckError } from "./passes.ts";
import { readVerdicts } from "./verdicts.ts";

/** The passes of one job, all of them inside one build of the daemon. */
export class Run {
  readonly #parts: RunParts;
  readonly #hosts: Hosts;
  readonly #jobs: Jobs;
  #evaluation: Evaluation;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#hosts = new Hosts(parts);
    this.#jobs = new Jobs(parts, this.#hosts);
    this.#evaluation = parts.config.evaluation;
  }

  async passes(): Promise<Done> {
    const kept = this.#parts.request.keepGoing === true ? new Kept(this.#parts.errorShell) : undefined;
    const { passes, evaluation, job } = await this.#untilComplete(kept);
    const last = kept === undefined ? this.#last(evaluation, job) : this.#lastKeptGoing(evaluation, job, kept);
    return { passes, ...(await last) };
  }

  /** Ends what it has started on this machine, and removes what that left. */
  close(): void {
    this.#hosts.close();
  }

  async shell(request: ShellRequest): Promise<number> {
    const { evaluation, job } = await this.#untilComplete();
    const component = job.graph.components.find(({ path }) => path === request.component);
    if (component === undefined) throw noComponent(request.component, job);
    this.#parts.offer.entitle(entitlementsOf(evaluation.root));
    return shellIn((await this.#parts.opening).build, job, component, request, this.#parts.readSecret);
  }

  /** Runs pass after pass until nothing waits for computed values or for host steps; the last job is compiled, not run. */
  async #untilComplete(kept?: Kept): Promise<Pick<Done, "job" | "evaluation" | "passes">> {
    const passes: Pass[] = [{ because: [] }];
    let evaluation = this.#evaluation;
    let before: Job | undefined;
    for (;;) {
      const job = await this.#jobs.compile(evaluation);
      if (before === undefined) await this.#parts.begun?.(job, () => this.#evaluation);
      const hosts = this.#hosts.fresh(job);
      if (hosts.length === 0 && (job.deferred.length === 0 || kept?.isHopeless(job) === true)) {
        // The memory that CUE took is better used by what is sent and received now.
        if (!givesValues(job) && job.graph.hooks.length === 0) void this.#parts.config.release();
        return { passes, evaluation, job };
      }
      if (hosts.length === 0 && (!givesValues(job) || (before !== undefined && noProgress(before, job)))) {
        if (this.#parts.request.gradual === true) return { passes, evaluation, job };
        throw stuckError(job);
      }
      const now = evaluation;
      const early = (): Promise<Evaluation> => (kept === undefined ? this.#early(now, job) : this.#earlyKeptGoing(now, job, kept));
      evaluation = await this.#hosts.beside(hosts, early, kept);
      this.#evaluation = evaluation;
      before = job;
      const pass = passAfter(job, hosts);
      passes.push(pass);
      this.#parts.request.onEvent({ type: "pass", pass: passes.length, ...pass });
    }
  }

  /** A pass whose values CUE needs: solved through the gateway, nothing is exported yet. */
  async #early(evaluation: Evaluation, job: Job): Promise<Evaluation> {
    // Further passes may ask for more than this one does, and what a build may do is settled when it starts.
    this.#parts.offer.entitle(entitlementsOf(evaluation.root));
    const { build } = await this.#parts.opening;
    const read = async (): Promise<Computed[]> => {
      const ref = await this.#parts.errorShell.watch(build, build.solve(job.definition.encoded));
      return readComputed(job, (file) => build.readFile(ref, file));
    };
    const computed = await this.#together(job.graph.terminal === null ? Promise.resolve([]) : read(), job.images);
    return fillComputed(evaluation, computed);
  }

  /** As `#early`, each component apart from the others. */
  async #earlyKeptGoing(evaluation: Evaluation, job: Job, kept: Kept): Promise<Evaluation> {
    const { offer, exports } = this.#parts;
    offer.entitle(entitlementsOf(evaluation.root));
    const { build } = await this.#parts.opening;
    const imaging = kept.images(exports, job.images);
    const succeeded = await this.#orCancelled(kept.solve(build, job), imaging);
    const read = await this.#orCancelled(this.#readKept(build, { ...job, ...job.part(succeeded) }), imaging);
    const filled = await fillWhatFits(evaluation, [...read.computed, ...(await imaging).flatMap(digestValues)]);
    for (const { failures } of [read, filled]) kept.refuse(failures);
    kept.know(filled.computed.map(({ path }) => path));
    return filled.evaluation;
  }

  /** The values of what succeeded, through the gateway: what the build ends with is not settled yet. */
  async #readKept(build: Build, part: Job): Promise<Sorted> {
    if (part.values.length === 0) return { computed: [], failures: new Map() };
    const ref = await build.solve(part.definition.encoded);
    return readWhatCan(part, (file) => build.readFile(ref, file));
  }

  /** As `#last`, each component apart from the others; what succeeded is what the build ends with. */
  async #lastKeptGoing(evaluation: Evaluation, job: Job, kept: Kept): Promise<Omit<Done, "passes">> {
    const { offer, opening, exports } = this.#parts;
    offer.entitle(entitlementsOf(evaluation.root));
    const { build } = await opening;
    const imaging = kept.images(exports, job.images);
    const succeeded = await this.#orCancelled(kept.solve(build, job), imaging);
    const read = await this.#orCancelled(this.#readKept(build, { ...job, ...job.part(succeeded) }), imaging);
    const checked = await fillWhatFits(evaluation, read.computed);
    // A component whose value is wrong has failed: its files are not saved.
    for (const path of [...read.failures.keys(), ...checked.failures.keys()]) succeeded.delete(path);
    for (const { failures } of [read, checked]) kept.refuse(failures);
    const whole = kept.failures.length === 0 && succeeded.size === job.graph.components.length;
    const rest: Job = whole ? job : { ...job, ...job.part(succeeded) };
    if (!whole) offer.prepare(rest);
    if (rest.definition.ops.length > 0) await this.#orCancelled(build.finish(rest.definition.encoded), imaging);
    const images = await imaging;
    kept.failures.push(...this.#verdicts(rest, evaluation));
    const filled = await fillWhatFits(checked.evaluation, images.flatMap(digestValues));
    kept.refuse(filled.failures);
    kept.leave(job.deferred);
    const computed = byPath([...checked.computed, ...filled.computed]);
    return { job: rest, images, failures: kept.failures, failed: kept.failed, evaluation: filled.evaluation, computed };
  }

  /** What is no failure of a component ends the images, too. */
  async #orCancelled<T>(work: Promise<T>, imaging: Promise<unknown>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#parts.exports.cancel();
      await imaging.catch(() => undefined);
      throw error;
    }
  }

  /** The pass that brings everything back through the job's one Solve. */
  async #last(evaluation: Evaluation, job: Job): Promise<Omit<Done, "passes">> {
    const { opening, errorShell, exports } = this.#parts;
    const { build } = await opening;
    const finish = async (): Promise<Computed[]> => {
      // Through the gateway, what failed can be looked into.
      const { encoded } = job.definition;
      await build.finish(errorShell.wanted ? await errorShell.watch(build, build.solve(encoded)) : encoded);
      return readComputed(job, (file) => this.#parts.offer.value(file));
    };
    const computed = await this.#together(job.graph.terminal === null ? Promise.resolve([]) : finish(), job.images);
    const images = await Promise.all(exports.start(job.images));
    const filled = await fillComputed(evaluation, [...this.#known(computed), ...computed]);
    return { job, images, failures: this.#verdicts(job, evaluation), failed: new Set(), evaluation: filled, computed: byPath(computed) };
  }

  /** What failed, as files of the finished build tell it. */
  #verdicts({ verdicts, graph }: Job, { root }: Evaluation): UserError[] {
    return graph.terminal === null ? [] : readVerdicts(verdicts, root, (file) => this.#parts.offer.value(file));
  }

  /** Of what other runs gave, that which this one does not. */
  #known(computed: readonly Computed[]): Computed[] {
    const own = new Set(computed.map(({ path }) => path));
    const known = Object.entries(this.#parts.request.known ?? {}).filter(([path]) => !own.has(path));
    return known.map(([path, value]) => ({ path, json: JSON.stringify(value) }));
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

/** Why there is a pass after the one of this job. */
function passAfter(job: Job, hosts: Job["hosts"]): Pass {
  const because = [...new Set(job.deferred.flatMap((component) => component.missing.map((missing) => missing.path)))];
  return { because, ...(hosts.length === 0 ? {} : { hosts: [...new Set(hosts.map(({ component }) => component))] }) };
}

function byPath(computed: readonly Computed[]): Done["computed"] {
  return Object.fromEntries(computed.map((value) => [value.path, JSON.parse(value.json) as unknown]));
}

function givesValues(job: Job): boolean {
  return job.values.length > 0 || job.images.some(({ values }) => values.length > 0);
}
