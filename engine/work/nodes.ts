// Nodes that are left to workers: one computation is one job, for the worker that has the node's labels as its tags.
import { UserError } from "../../compiler/index.ts";
import { type Computed, computationKey, compute, computed, inputsOf, type NodeRequest } from "../nodes/compute.ts";
import { givenBy } from "../nodes/graph.ts";
import { type Node, type NodeParameters, nodeOf } from "../nodes/node.ts";
import { pushOutputs } from "../nodes/outputs.ts";
import { withDaemon } from "../sources/ask/daemon.ts";
import type { ConflictPolicy } from "../sources/conflict.ts";
import { type Data, withData } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import type { Job, Json, Store } from "../store/index.ts";
import { checkTags } from "./tags.ts";
import { untilOver } from "./wait.ts";

/** What a job asks for that is a computation: whole, so that a worker needs no files of whoever asks. No secrets. */
interface NodeWish {
  readonly node: NodeParameters;
  /** Those that it takes and gives; the inputs are pinned to the versions that are meant. */
  readonly sources: readonly Source[];
  readonly force: boolean;
  readonly onConflict?: ConflictPolicy;
}

/** Undefined for a job that runs an environment. */
export function nodeWishOf({ request }: Pick<Job, "request">): NodeWish | undefined {
  return typeof request === "object" && request !== null && "node" in request ? (request as unknown as NodeWish) : undefined;
}

/**
 * Leaves a computation to a worker, and waits until it is over; aborting ends the wait, and the job goes on. Who asks for the same computation at the same
 * time asks for the same job. Throws UserError: 2 `no-version`, `bad-tag`; 1 `node-job-failed`; 130.
 */
export async function computeByWorker(node: Node, data: Data, request: NodeRequest): Promise<Computed> {
  checkTags(node.labels);
  const { store } = data;
  const inputs = await inputsOf(node, data);
  const key = computationKey(
    node,
    inputs.map(({ datum }) => datum),
  );
  const before = await store.lineages.get(key);
  if (before?.state === "success" && request.force !== true) return computed(node, before, "current");
  const { id: _, ...parameters } = node;
  const outputs = data.sources.filter(({ name }) => givenBy(node).includes(name));
  const taken = inputs.map(({ source, datum }): Source => ({ ...source, pin: datum.id }));
  const { force = false, onConflict } = request;
  const wish: NodeWish = { node: parameters, sources: [...taken, ...outputs], force, ...(onConflict === undefined ? {} : { onConflict }) };
  const job = await addOnce(store, node, key.id, wish);
  const over = await untilOver(store, job.id, { signal: request.signal, onChange: request.onJob ?? (() => undefined) });
  const after = await store.lineages.get(key);
  if (over.state === "done" && after?.state === "success") return computed(node, after, "success");
  const message = `The node ${node.id.slice(0, 8)} was not computed: its job ${job.id} ${over.state === "cancelled" ? "was cancelled" : "failed"}`;
  const why = over.reason === undefined ? "" : `: ${over.reason.split("\n")[0]}`;
  const hint = over.run === undefined ? "See what became of it: dagger queue list" : `See its run: dagger history logs ${over.run}`;
  throw new UserError(over.state === "cancelled" ? 130 : 1, [{ code: "node-job-failed", message: `${message}${why}`, at: [], hint }]);
}

/** The job that is open for a computation, or a new one where there is none, or where those of before came to nothing. */
async function addOnce(store: Store, node: Node, computation: string, wish: NodeWish): Promise<Job> {
  for (let attempt = 0; ; attempt++) {
    const { job, created } = await store.jobs.add({
      stack: "",
      env: `node ${node.id.slice(0, 8)}`,
      tags: node.labels,
      request: wish as unknown as Json,
      idempotencyKey: `node ${computation} ${attempt}`,
    });
    if (created || job.ended === undefined) return job;
  }
}

/** Does what such a job asks for, with the connectors, private fields and daemon of this machine. */
export async function computeForJob(wish: NodeWish, request: NodeRequest): Promise<Computed> {
  return withData(request, (opened) => {
    const own = opened.sources.filter(({ name }) => !wish.sources.some((one) => one.name === name));
    const data = { ...opened, sources: [...own, ...wish.sources] };
    const wanted = { ...request, force: wish.force, ...(wish.onConflict === undefined ? {} : { onConflict: wish.onConflict }) };
    return withDaemon(request, async (askDaemon) => {
      const [node, scope] = [nodeOf(wish.node), { ...request, workspace: data.workspace, askDaemon }];
      const done = await compute(node, data, scope, wanted);
      // Only this machine has the commits; what keeps them from being pushed is recorded, and is not the job's failure.
      return { ...done, pushes: await pushOutputs(node, data, scope) };
    });
  });
}
