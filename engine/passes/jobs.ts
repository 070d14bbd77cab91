// From a pass's values to the job that the daemon runs: what the compiler asks of the world, the graph that this daemon takes, and what is checked before anything runs.
import { createHash, randomUUID } from "node:crypto";
import type { Definition, ImageRequest, Job, Ports } from "../../compiler/index.ts";
import { placeInConfig } from "../../compiler/index.ts";
import type { Evaluation } from "../../runtime/cue/index.ts";
import type { OpenBuild } from "../build/connect.ts";
import { entitlementsOf } from "../build/entitlements.ts";
import { frontendPort } from "../build/frontends.ts";
import { loginsOf } from "../build/logins.ts";
import { compileConfig } from "../config/config.ts";
import { checkArchives, checkLocals } from "../config/locals.ts";
import { requireSsh } from "../flags/ssh.ts";
import { imagePort } from "../images.ts";
import { requireSecrets } from "../secrets/sources.ts";
import type { Hosts } from "./hosts.ts";
import { Names } from "./names.ts";
import type { RunParts } from "./parts.ts";

/** The jobs of a run's passes. */
export class Jobs {
  readonly #parts: RunParts;
  /** Tells what this run makes from what every other run made. */
  readonly #name: string;
  readonly #names = new Names();
  readonly #hosts: Hosts;

  constructor(parts: RunParts, hosts: Hosts) {
    this.#parts = parts;
    this.#hosts = hosts;
    this.#name = parts.request.name ?? randomUUID();
  }

  /** A job that is known to run on the daemon at hand, and is told to everybody who waits for it. Throws UserError. */
  async compile(evaluation: Evaluation): Promise<Job> {
    const { request, config, offer, opening, steps } = this.#parts;
    request.onEvent({ type: "phase", phase: "compile" });
    offer.logins = () => loginsOf(evaluation.root);
    // The daemon grants what a build may do when it starts, and asking it for anything starts it.
    const started = async (): Promise<OpenBuild> => {
      await this.#parts.checkSecrets();
      offer.entitle(entitlementsOf(evaluation.root));
      return opening;
    };
    const { pins } = this.#parts;
    const remote = async (image: ImageRequest): Promise<{ digest: string; config: Uint8Array }> => {
      const answer = await (await started()).remoteImage(image);
      this.#names.images.set(image.ref, answer.digest);
      return answer;
    };
    const images = imagePort(request.env, offer, remote, (ref, at) => pins.image(ref, at));
    const serve = async (locals: Job["locals"]): Promise<void> => {
      await checkLocals(locals, { root: config.workspace, own: [...config.own, ...config.granted, ...this.#hosts.dirs] });
      offer.serveLocals(locals);
    };
    const job = await this.#compileFor(evaluation, (usual) => {
      const open = async (): Promise<OpenBuild> => (usual ? forUsualGraphs(await started()) : started());
      const options = { open, onCompute: (definition: Definition) => steps.plan(definition), serve };
      return { images, frontends: frontendPort({ ...options, localImages: (platform) => images.local(platform) }) };
    });
    await serve(job.locals);
    await checkArchives(job.images, config.destinations.workspace);
    offer.prepare(job);
    request.onEvent({ type: "phase", phase: "connect" });
    const definitions = [job.definition, ...job.images.flatMap(definitionsOf)];
    for (const definition of definitions) await (await opening).check(definition);
    await this.#parts.exports.check(job.images);
    steps.plan(...definitions);
    steps.inConfig = (one) => placeInConfig([one], evaluation.root)[0] ?? one;
    this.#tell(job);
    request.onEvent({ type: "phase", phase: "solve" });
    return job;
  }

  #tell(job: Job): void {
    const { config, scrubber, watch, opening } = this.#parts;
    if (watch === undefined) return;
    const { images, resolved } = this.#names;
    const definition = `sha256:${createHash("sha256").update(job.definition.encoded).digest("hex")}`;
    watch.job({ config, job, run: this.#name, definition, images, resolved, scrubber });
    this.#names.ask(job, opening);
  }

  /** Most daemons take one and the same graph; one that lacks what ops depend on gets a graph of its own. */
  async #compileFor(evaluation: Evaluation, portsFor: (usual: boolean) => Ports): Promise<Job> {
    const { config, request, opening, secrets, secretPlaces, ssh, pins, check } = this.#parts;
    const hosts = { hosts: (key: string) => this.#hosts.dirOf(key) };
    const compileWith = async (caps?: ReadonlySet<string>, assumed = false): Promise<Job> =>
      compileConfig(config, evaluation, portsFor(caps === undefined), {
        ...request,
        pins,
        run: this.#name,
        ...(assumed ? {} : hosts),
        ...(caps === undefined ? {} : { caps }),
      });
    let old: ReadonlySet<string> | undefined;
    const job = await compileWith().catch((error: unknown) => {
      if (!(error instanceof OldDaemon)) throw error;
      old = error.caps;
      return compileWith(old);
    });
    // All that can be known to be wrong with it is told before anything runs on this machine.
    const whole = job.hosts.length > 0 ? await compileWith(old, true) : job;
    pins.check();
    // What later passes are about depends on what the first one computes.
    if (evaluation === config.evaluation) check?.({ config, job: whole, images: this.#names.images, run: this.#name, cwd: request.cwd });
    // Nobody who repeats a run changes what it takes.
    const warning = request.repeat === undefined ? pins.warning() : undefined;
    if (warning !== undefined) request.onEvent(warning);
    for (const { id, at } of whole.secrets) secretPlaces.set(id, at);
    requireSecrets(whole, secrets);
    requireSsh(whole, ssh);
    await this.#hosts.requireConsent(job);
    await this.#parts.checkSecrets();
    if (old !== undefined) return job;
    const caps = await (await opening).oldCapabilities();
    return caps === undefined ? job : compileWith(caps);
  }
}

/** The daemon was asked while the usual graph was made for it, which it cannot run. */
class OldDaemon extends Error {
  readonly caps: ReadonlySet<string>;

  constructor(caps: ReadonlySet<string>) {
    super("the daemon needs a graph of its own");
    this.caps = caps;
  }
}

async function forUsualGraphs(open: OpenBuild): Promise<OpenBuild> {
  const caps = await open.oldCapabilities();
  if (caps !== undefined) throw new OldDaemon(caps);
  return open;
}

function definitionsOf({ platforms, after }: Job["images"][number]): Job["definition"][] {
  return [...platforms.map(({ definition }) => definition), ...(after === undefined ? [] : [after])].filter(({ ops }) => ops.length > 0);
}
