// Images that leave a job: each is one further Solve over the job's own vertices, beside the job's, on the same connection.
import type { Attest, Definition, ImageOutput } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import { type ArchiveReceiver, createArchiveReceiver } from "../../runtime/session/index.ts";
import type { Build, BuildOutcome, ExporterSpec, ResultRef } from "../../runtime/solve/index.ts";
import { SolveError } from "../../runtime/solve/index.ts";
import type { UpEvent, UpResult } from "../events.ts";
import { attestationsOf } from "../flags/attest.ts";
import type { Computed } from "../passes/computed.ts";
import type { ErrorShell } from "../shell/error-shell.ts";
import type { OpenBuild } from "./connect.ts";
import { savingInterrupted } from "./interrupt.ts";
import { whileHeard } from "./registry-watch.ts";
import type { StepTracker } from "./steps.ts";

/** An image that was pushed, or received and waits for being put in place. */
export interface DoneImage {
  readonly output: ImageOutput;
  readonly digest: string;
  readonly archive?: ArchiveReceiver;
}

export interface ExportParts {
  readonly opening: Promise<OpenBuild>;
  readonly steps: StepTracker;
  readonly signal: AbortSignal;
  readonly errorShell: ErrorShell;
  /** What images are to say of their own making, whatever their ops do. */
  readonly attest: Attest;
  readonly onEvent: (event: UpEvent) => void;
}

export class ImageExports {
  readonly #parts: ExportParts;
  readonly #started = new Map<string, Promise<DoneImage>>();
  readonly #cancel = new AbortController();
  readonly #archives: ArchiveReceiver[] = [];
  readonly #onAbort = (): void => this.cancel();

  constructor(parts: ExportParts) {
    this.#parts = parts;
    parts.signal.addEventListener("abort", this.#onAbort);
  }

  /** Starts those that no earlier pass has started; gives all of them. */
  start(outputs: readonly ImageOutput[]): Promise<DoneImage>[] {
    return outputs.map((output) => {
      const known = this.#started.get(output.key);
      if (known !== undefined) return known.then((done) => ({ ...done, output }));
      const work = this.#export(output);
      work.catch(() => undefined); // whoever waits for it hears of it
      this.#started.set(output.key, work);
      return work;
    });
  }

  /** Throws UserError (3) `daemon-lacks` when the daemon cannot make the images as they are wanted. */
  async check(outputs: readonly ImageOutput[]): Promise<void> {
    const attested = outputs.filter((output) => Object.keys(attestationsOf(output.attest, this.#parts.attest)).length > 0);
    const bare = attested.filter(isBare);
    for (const { target, at } of bare) {
      const message = `The archive of ${target.ref} carries no attestations: docker's format has no room for them`;
      this.#parts.onEvent({ type: "warning", message, detail: ['Save it with format: "oci"'], at });
    }
    if (attested.length > bare.length) await (await this.#parts.opening).checkAttestations(attested.filter((output) => !isBare(output)));
  }

  /** Ends what still runs, on the daemon too. */
  cancel(): void {
    this.#cancel.abort();
  }

  /** Puts the archives in place; tells of all images. */
  async commit(done: readonly DoneImage[]): Promise<UpResult["images"]> {
    for (const { archive } of done) await archive?.commit();
    return done.map(({ output: { target, path, platforms }, digest }) => ({
      path,
      ref: target.ref,
      digest,
      platforms: platforms.map(({ platform }) => platform),
      ...(target.kind === "save" ? { dest: target.dest } : {}),
    }));
  }

  /** Forgets what was received but not put in place. */
  async close(): Promise<void> {
    this.#parts.signal.removeEventListener("abort", this.#onAbort);
    this.cancel();
    await Promise.allSettled(this.#started.values());
    for (const archive of this.#archives) archive.rollback();
  }

  async #export(output: ImageOutput): Promise<DoneImage> {
    const { opening, steps } = this.#parts;
    const archive = this.#archive(output);
    const owner = { name: output.name, component: output.component, at: output.at };
    const platforms = output.platforms.map(({ platform }) => platform);
    const attestations = isBare(output) ? {} : attestationsOf(output.attest, this.#parts.attest);
    const more = { exporters: [exporterOf(output, archive)], platforms, attestations, signal: this.#cancel.signal };
    const build = await (await opening).beside(more, owner);
    try {
      const outcome = await this.#parts.errorShell.watch(build, solveImage(build, output));
      const { exporterResponse } = await whileHeard(build.finish(outcome), output, await opening, this.#cancel.signal);
      return { output, digest: exporterResponse["containerimage.digest"] ?? "", ...(archive === undefined ? {} : { archive }) };
    } catch (error) {
      throw explained(error, output, steps);
    } finally {
      await build.abort();
    }
  }

  #archive({ target, at }: ImageOutput): ArchiveReceiver | undefined {
    if (target.kind === "push") return undefined;
    const archive = createArchiveReceiver({ dest: target.dest, at });
    const stop = savingInterrupted(() => archive.rollback());
    const tracked: ArchiveReceiver = {
      receive: (call) => archive.receive(call),
      commit: () => archive.commit(),
      rollback: () => {
        archive.rollback();
        stop();
      },
    };
    this.#archives.push(tracked);
    return tracked;
  }
}

/** The digest of a pushed image as the value of its component. */
export function digestValues({ output: { values }, digest }: DoneImage): Computed[] {
  return values.map((path) => ({ path, component: values[0] ?? path, json: JSON.stringify(digest) }));
}

/** Archives in docker's format hold nothing but an image. */
function isBare({ target }: ImageOutput): boolean {
  return target.kind === "save" && target.format === "docker";
}

function exporterOf({ target }: ImageOutput, archive: ArchiveReceiver | undefined): ExporterSpec {
  if (target.kind === "push") return { type: "image", attrs: { name: target.ref, push: "true" } };
  return { type: target.format, attrs: { name: target.ref }, ...(archive === undefined ? {} : { output: archive }) };
}

/** Everything that must have succeeded is computed first, all at once; then the image is put together. */
export async function solveImage(build: Build, { platforms, after }: Pick<ImageOutput, "after" | "platforms">): Promise<BuildOutcome> {
  const solve = async (definition: Definition): Promise<ResultRef> =>
    definition.encoded.length === 0 ? { id: "" } : build.solve(definition.encoded);
  const [refs] = await Promise.all([
    Promise.all(platforms.map(async ({ platform, definition }) => [platform, await solve(definition)] as const)),
    after === undefined ? undefined : solve(after),
  ]);
  const [only, ...more] = platforms;
  // An image for one platform is no list of images.
  if (only !== undefined && more.length === 0) return { refs: refs[0]?.[1] ?? { id: "" }, metadata: { [configKey]: only.config } };
  return { refs: new Map(refs), metadata: metadataOf(platforms) };
}

const configKey = "containerimage.config";

/** Configs by platform, as BuildKit's exporters look for them. */
function metadataOf(platforms: ImageOutput["platforms"]): Record<string, Uint8Array> {
  const list = platforms.map(({ platform }) => {
    const [os, architecture, variant] = platform.split("/");
    return { ID: platform, Platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
  });
  const configs = platforms.map(({ platform, config }) => [`${configKey}/${platform}`, config] as const);
  return { "refs.platforms": Buffer.from(JSON.stringify({ Platforms: list })), ...Object.fromEntries(configs) };
}

/** The failure of a step is told as such, wherever it was met; all else is about this image. */
function explained(error: unknown, { target, path, at }: ImageOutput, steps: StepTracker): unknown {
  if (!(error instanceof SolveError) || error.exit !== 1) return error;
  const { vertex, reason } = error.failure;
  if (vertex !== undefined && steps.isPlanned(vertex)) return error;
  const push = target.kind === "push";
  const diagnostic = {
    code: push ? "push-failed" : "save-failed",
    message: `Cannot ${push ? "push" : "save"} the image ${target.ref}: ${reason.replace(`failed to push ${target.ref}: `, "")}`,
    path,
    at,
    ...(push ? { hint: "Check the name, the network, and the login to its registry (docker-login, or `docker login`)" } : {}),
  };
  return new UserError(1, [diagnostic], { cause: error });
}
