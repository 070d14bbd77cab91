// Checks a config as far as that goes without a daemon: CUE, ops, graph, and the directories that it names.
import type { Frontends, Job } from "../../compiler/index.ts";
import { readOps } from "../../compiler/index.ts";
import { imagePort } from "../images.ts";
import type { ReadRequest } from "../request.ts";
import { inStackTerms } from "../settings/explain.ts";
import type { Config } from "./config.ts";
import { compileConfig, loadConfig } from "./config.ts";
import { checkArchives, checkLocals } from "./locals.ts";

export interface VetRequest extends ReadRequest {
  readonly targets: readonly string[];
  /** As for a run: the names in them are values of the config. What they hold is not looked at. */
  readonly secrets?: readonly string[];
  readonly ssh?: readonly string[];
  readonly signal: AbortSignal;
}

export interface Vetted {
  /** CUE paths of all components, with the number of their ops. */
  readonly components: readonly { readonly path: string; readonly ops: number }[];
}

/** Throws UserError (2) with every mistake that a run would tell before it needs a daemon. */
export async function vet(request: VetRequest): Promise<Vetted> {
  const config = await loadConfig(request);
  try {
    const job = await compileUnasked(config, request);
    await checkLocals(job.locals, workspaceOf(config));
    await checkArchives(job.images, config.destinations.workspace);
    const { components } = readOps(config.evaluation.root);
    return { components: components.map(({ component, ops }) => ({ path: component, ops: ops.length })) };
  } catch (error) {
    throw inStackTerms(error, request.stack);
  } finally {
    config.close();
  }
}

/** Nobody is asked what images and Dockerfiles are: of an image nothing is known, and a Dockerfile gives what it is given. */
export async function compileUnasked(
  config: Config,
  request: Pick<VetRequest, "env" | "targets"> & { readonly gradual?: boolean },
): Promise<Job> {
  const layouts = { serve: () => "vet" };
  const images = imagePort(request.env, layouts, async () => ({ digest: "", config: nothing }));
  const frontends: Frontends = {
    serve: (locals) => checkLocals(locals, workspaceOf(config)),
    dockerfile: async ({ inputs }) => ({ definition: inputs["context"]?.encoded ?? new Uint8Array(), config: nothing }),
    readFirst: async () => undefined,
    localImages: (platform) => images.local(platform),
  };
  return compileConfig(config, config.evaluation, { images, frontends }, request);
}

/** The config of an image, as JSON. */
const nothing: Uint8Array = Buffer.from("{}");

function workspaceOf({ workspace, own, granted }: Config): { readonly root: string; readonly own: readonly string[] } {
  return { root: workspace, own: [...own, ...granted] };
}
