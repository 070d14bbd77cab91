// Compiles a config without running it. A daemon is asked only for what nobody here knows.
import type { ImageRequest, Job } from "../../compiler/index.ts";
import type { OpenBuild, OpenRequest } from "../build/connect.ts";
import { Offer, openBuild } from "../build/connect.ts";
import { frontendPort } from "../build/frontends.ts";
import { StepTracker } from "../build/steps.ts";
import { imagePort } from "../images.ts";
import { openPins } from "../lock/pins.ts";
import type { ReadRequest } from "../request.ts";
import type { Config } from "./config.ts";
import { compileConfig } from "./config.ts";
import { checkLocals } from "./locals.ts";

export interface CompileOnlyRequest extends ReadRequest {
  /** CUE paths of the components; empty means all. */
  readonly targets: readonly string[];
  /** Asked only when the config needs an image that is not on this machine, or the graph of a Dockerfile. */
  readonly buildkit?: string;
  readonly tls?: OpenRequest["tls"];
  readonly signal: AbortSignal;
}

/** How a job is compiled that is to be held against the one of a run. */
export interface CompileOnlyOptions {
  /** A name for the run that there is not. */
  readonly run?: string;
  /** Told the digest of each image that a daemon was asked for. */
  readonly onImage?: (ref: string, digest: string) => void;
  /** Given the job while a daemon can still be asked. */
  readonly onJob?: (job: Job, open: () => Promise<OpenBuild>) => Promise<void>;
}

/** Connects to a daemon only for an image whose config nobody here knows, or for a Dockerfile. */
export async function compileOnly(config: Config, request: CompileOnlyRequest, options: CompileOnlyOptions = {}): Promise<Job> {
  let opening: Promise<OpenBuild> | undefined;
  const offer = new Offer();
  const pins = await openPins(request);
  const extras = pins.policy === undefined ? {} : { sourcePolicy: pins.policy };
  const open = (): Promise<OpenBuild> => {
    const tracker = new StepTracker(() => undefined);
    opening ??= openBuild({ ...request, extras }, offer, async () => undefined, tracker, Promise.resolve(config.clientId));
    return opening;
  };
  const remote = async (image: ImageRequest): Promise<{ digest: string; config: Uint8Array }> => {
    const answer = await (await open()).remoteImage(image);
    options.onImage?.(image.ref, answer.digest);
    return answer;
  };
  const images = imagePort(request.env, offer, remote, (ref, at) => pins.image(ref, at));
  const serve = async (locals: Job["locals"]): Promise<void> => {
    await checkLocals(locals, { root: config.workspace, own: [...config.own, ...config.granted] });
    offer.serveLocals(locals);
  };
  const frontends = frontendPort({ open, serve, localImages: (platform) => images.local(platform) });
  try {
    const { run } = options;
    const job = await compileConfig(
      config,
      config.evaluation,
      { images, frontends },
      { ...request, pins, ...(run === undefined ? {} : { run }) },
    );
    await options.onJob?.(job, open);
    return job;
  } finally {
    await opening?.then((open) => open.close()).catch(() => undefined);
  }
}
