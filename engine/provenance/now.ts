// What the components of a config are made from now: compiled, but not run. Values that a run has to compute are those that it gave last.
import { hash, randomUUID } from "node:crypto";
import type { Job } from "../../compiler/index.ts";
import { isWithin, UserError } from "../../compiler/index.ts";
import type { Evaluation, Fill } from "../../runtime/cue/index.ts";
import { listFiles } from "../../runtime/session/index.ts";
import { type CompileOnlyRequest, compileOnly } from "../config/compile-only.ts";
import { type Config, loadConfig } from "../config/config.ts";
import type { Output } from "../store/index.ts";
import type { Snapshot } from "./compare.ts";
import { factsOf, type OpenFacts } from "./facts.ts";
import type { FileDigests, FileList } from "./files.ts";
import { openSources } from "./sources.ts";
import { Waits } from "./waits.ts";

export interface Now extends Snapshot {
  readonly fills: readonly Fill[];
  /** Components that wait for values that no run has given yet, with the paths of these. */
  readonly waiting: ReadonlyMap<string, readonly string[]>;
}

export interface NowOf {
  readonly request: CompileOnlyRequest;
  /** Root of the workspace. */
  readonly root: string;
  readonly outputs: readonly Output[];
  readonly digests: FileDigests;
}

/** Throws as `plan`. */
export async function lookNow({ request, root, outputs, digests }: NowOf): Promise<Now> {
  const config = await loadConfig(request);
  try {
    let evaluation = config.evaluation;
    const passes = new Waits();
    for (let before = ""; ; ) {
      const { job, facts } = await compiled({ ...config, evaluation }, request, root, passes);
      passes.note(job);
      const waits = job.deferred.flatMap(({ missing }) => missing.map(({ path }) => path));
      const filled = waits.join() === before ? undefined : await withOutputs(evaluation, waits, outputs);
      if (filled === undefined)
        return { ...(await withFiles(facts, job, digests)), fills: config.evaluation.fills, waiting: waitingOf(job) };
      before = waits.join();
      evaluation = filled;
    }
  } finally {
    config.close();
  }
}

function waitingOf({ deferred }: Job): ReadonlyMap<string, readonly string[]> {
  return new Map(deferred.map(({ path, missing }) => [path, missing.map((one) => one.path)]));
}

async function compiled(config: Config, request: CompileOnlyRequest, root: string, waits: Waits): Promise<{ job: Job; facts: OpenFacts }> {
  const run = randomUUID();
  const images = new Map<string, string>();
  const resolved = new Map<string, string>();
  let facts: OpenFacts = { components: [], directories: {} };
  const job = await compileOnly(config, request, {
    run,
    onImage: (ref, digest) => void images.set(ref, digest),
    onJob: async (job, open) => {
      for (const source of openSources(job)) {
        const { build } = await open();
        // What nobody can tell is not known, and no change.
        const meta = await build.gateway((gateway) => gateway.resolveSourceMeta(source)).catch(() => undefined);
        const { git, http } = meta ?? {};
        resolved.set(source.identifier, (git === undefined ? http?.checksum : git.commitChecksum || git.checksum) ?? "");
      }
      facts = factsOf({ job, run, images, resolved, waits, own: config.own, root });
    },
  });
  return { job, facts };
}

/** Undefined when no output is what something waits for, or the config takes none of them any more. */
async function withOutputs(evaluation: Evaluation, waits: readonly string[], outputs: readonly Output[]): Promise<Evaluation | undefined> {
  const wanted = (component: string): boolean => waits.some((path) => isWithin(path, component));
  const known = outputs.filter(({ component }) => component !== "" && wanted(component));
  if (known.length === 0) return undefined;
  try {
    return await evaluation.fill(
      known.map(({ component, value }) => ({
        path: component,
        json: JSON.stringify(value),
        origin: `last output of ${component}`,
        elements: true,
      })),
    );
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function withFiles({ components, directories }: OpenFacts, { locals }: Job, digests: FileDigests): Promise<Snapshot> {
  const lists = new Map<string, FileList>();
  const found = new Map<string, string>();
  for (const [source, key] of Object.entries(directories)) {
    const [name = "", include = [], exclude = [], follow = []] = JSON.parse(key) as [string, string[], string[], string[]];
    const dir = locals.find((local) => local.name === name)?.dir;
    if (dir === undefined) continue;
    const list = await digests.list(listFiles(name, dir, { include, exclude, follow }));
    const digest = `sha256:${hash("sha256", JSON.stringify(list))}`;
    lists.set(digest, list);
    found.set(source, digest);
  }
  return {
    components: components.map((one) => ({
      ...one,
      sources: Object.fromEntries(Object.entries(one.sources).map(([name, value]) => [name, found.get(name) ?? value])),
    })),
    files: async (digest) => lists.get(digest),
  };
}
