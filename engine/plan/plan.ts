// What a run would do: which component runs, comes from the cache, or waits for a value, and why. Nothing is executed.
import { type Hook, type Job, type NumberedGraph, numberGraph, type Position, type Vertex, type Waiting } from "../../compiler/index.ts";
import { isCounted } from "../build/steps.ts";
import { type Effect, effectsOf, isAlways } from "./effects.ts";
import { shorten } from "./picture/drawing.ts";
import type { RecordedStep, RunRecord } from "./record.ts";
import { changedSince, uploadOf } from "./uploads.ts";

/**
 * `run`: at least one step runs. `cached`: a run before gave all of it, and nothing that it was made from is known to have changed.
 * `unknown`: nothing tells. `deferred`: it waits for values that a pass before has to compute.
 */
export type PlannedState = "run" | "cached" | "unknown" | "deferred";

export interface PlannedComponent {
  /** CUE path; "" for a config that is one component. */
  readonly path: string;
  readonly at?: Position;
  readonly state: PlannedState;
  /** Why, one reason a line; empty for `unknown`. */
  readonly because: readonly string[];
  /** Steps of its own; what of it is to run, as far as that is known. Of a deferred component nothing is known. */
  readonly steps: { readonly total: number; readonly run?: number };
  readonly effects: readonly Effect[];
  /** CUE paths of values that a deferred component waits for. */
  readonly waits: readonly string[];
}

export interface Plan {
  /** In the order in which they can be built, then those that are deferred. */
  readonly components: readonly PlannedComponent[];
  readonly passes: {
    /** More may follow when CUE waits for values: what a pass computes may ask for further ones. */
    readonly atLeast: number;
    /** The values that CUE waits for. */
    readonly because: readonly string[];
    /** The components with steps that run on this machine, between passes. */
    readonly hosts: readonly string[];
  };
  readonly steps: { readonly total: number; readonly run?: number };
  /** Components, or fields with several, that do not run before something triggers them. */
  readonly waiting: readonly Waiting[];
  /** Components that run when something has become of those above. */
  readonly hooks: readonly Pick<Hook, "path" | "on" | "of">[];
  /** Ids of the secrets and agents that the first pass uses. */
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  /** Those of them that a run needs, and that neither flags nor the environment of a stack give; and whether it needs the consent to run steps on this machine. */
  readonly lacks: { readonly secrets: readonly string[]; readonly ssh: readonly string[]; readonly allowHost: boolean };
  /** What tells of the cache: a run (when it began, milliseconds since 1970), or nothing. */
  readonly known: { readonly from: "run"; readonly began: number } | { readonly from: "nothing" };
}

export interface PlanFacts {
  readonly job: Job;
  /** The name of the run that the job was compiled for. */
  readonly run: string;
  /** Directories of dagger itself. */
  readonly own: readonly string[];
  /** Secrets and agents that the run would have, as `ID=…` or `ID`. */
  readonly given: { readonly secrets: readonly string[]; readonly ssh: readonly string[]; readonly allowHost: boolean };
  readonly record?: RunRecord;
}

/** Makes the plan of a compiled job. Reads the directories that it uploads, and nothing else. */
export function makePlan(facts: PlanFacts): Plan {
  const { job, record, run } = facts;
  const graph = numberGraph(job.graph);
  const { data } = graph;
  // Bringing results back is no work that a component asks for.
  const vertices = graph.vertices.filter((vertex) => !graph.collecting.has(vertex));
  const reasons = reasonsToRun(graph, facts);
  const counted = vertices.filter(isCounted);
  const components = data.components.map(({ path, at }): PlannedComponent => {
    const own = vertices.filter((vertex) => vertex.meta.component === path);
    const steps = own.filter(isCounted);
    const running = steps.filter((vertex) => reasons.has(vertex));
    const because = [...new Set(own.flatMap((vertex) => reasons.get(vertex) ?? []))];
    const state = running.length > 0 ? "run" : record === undefined && steps.length > 0 ? "unknown" : "cached";
    return {
      path,
      ...(at === undefined ? {} : { at }),
      state,
      because: state === "run" ? because : state === "cached" ? [steps.length === 0 ? "It has no steps of its own" : "As in that run"] : [],
      steps: { total: steps.length, ...(record === undefined ? {} : { run: running.length }) },
      effects: effectsOf(job, path, own, run),
      waits: [],
    };
  });
  const waits = [...new Set(job.deferred.flatMap(({ missing }) => missing.map(({ path }) => path)))];
  return {
    components: [...components, ...deferredOf(job)],
    passes: { atLeast: 1 + hostLevels(graph) + (job.deferred.length === 0 ? 0 : 1), because: waits, hosts: hostsOf(vertices) },
    steps: { total: counted.length, ...(record === undefined ? {} : { run: counted.filter((vertex) => reasons.has(vertex)).length }) },
    waiting: job.waiting,
    hooks: job.graph.hooks.map(({ path, on, of }) => ({ path, on, of })),
    secrets: job.secrets.map(({ id }) => id),
    ssh: job.ssh.map(({ id }) => id),
    lacks: {
      secrets: lacking(job.secrets, facts.given.secrets),
      ssh: lacking(job.ssh, facts.given.ssh),
      allowHost: !facts.given.allowHost,
    },
    known: record === undefined ? { from: "nothing" } : { from: "run", began: record.began },
  };
}

/** How many steps on this machine follow upon each other: each of them waits for a pass. */
function hostLevels({ data, vertices }: NumberedGraph): number {
  const levels: number[] = [0];
  for (const [index, vertex] of vertices.entries()) {
    const inputs = data.steps[index]?.inputs ?? [];
    levels[index + 1] = inputs.reduce((most, id) => Math.max(most, levels[id] ?? 0), 0) + (vertex.kind === "host" ? 1 : 0);
  }
  return levels.reduce((most, level) => Math.max(most, level), 0);
}

function hostsOf(vertices: readonly Vertex[]): string[] {
  return [...new Set(vertices.flatMap(({ kind, meta }) => (kind === "host" ? [meta.component] : [])))];
}

function lacking(needs: readonly { readonly id: string; readonly optional: boolean }[], given: readonly string[]): string[] {
  const ids = new Set(given.map((text) => text.split("=")[0]));
  return needs.filter(({ id, optional }) => !optional && !ids.has(id)).map(({ id }) => id);
}

function deferredOf(job: Job): PlannedComponent[] {
  return job.deferred.map(({ path, missing, at: [at] }) => ({
    path,
    ...(at === undefined ? {} : { at }),
    state: "deferred",
    because: missing.map((one) => `It waits for ${one.path}${/^_?$/.test(one.type) ? "" : ` (${one.type})`}`),
    steps: { total: 0 },
    effects: [],
    waits: missing.map((one) => one.path),
  }));
}

/** Why each step runs that is known to: its own reason, or else those of what it is made from. */
function reasonsToRun(graph: NumberedGraph, { job, run, own, record }: PlanFacts): Map<Vertex, readonly string[]> {
  const digests = digestsOf(job);
  const before = new Map(record?.steps.map((step) => [step.digest, step]));
  const reasons = new Map<Vertex, readonly string[]>();
  for (const [index, vertex] of graph.vertices.entries()) {
    const inputs = (graph.data.steps[index]?.inputs ?? []).flatMap((id) => graph.vertices[id - 1] ?? []);
    const inherited = [...new Set(inputs.flatMap((input) => inherit(vertex, input, reasons.get(input))))];
    const ran = before.get(digests.get(vertex) ?? "");
    if (isAlways(vertex, run)) reasons.set(vertex, [`${shorten(vertex.meta.name, 60)} runs always`]);
    else if (inherited.length > 0) reasons.set(vertex, inherited);
    else if (record !== undefined) {
      const reason = changed(vertex, record, job, own) ?? notAsBefore(vertex, ran);
      if (reason !== undefined) reasons.set(vertex, [reason]);
    }
  }
  return reasons;
}

/** Within a component its reasons go on; another component only says that it runs. */
function inherit(vertex: Vertex, input: Vertex, reasons: readonly string[] | undefined): readonly string[] {
  if (reasons === undefined) return [];
  const { component } = input.meta;
  return component === vertex.meta.component || component === "" ? reasons : [`It uses ${component}, which runs`];
}

function changed(vertex: Vertex, record: RunRecord, job: Job, own: readonly string[]): string | undefined {
  const dir = uploadOf(vertex, job, own);
  const path = dir === undefined ? undefined : changedSince(vertex, dir, record.began, record.ended);
  return path === undefined ? undefined : `${path} (${vertex.meta.name}) has changed since that run`;
}

function notAsBefore(vertex: Vertex, ran: RecordedStep | undefined): string | undefined {
  const name = shorten(vertex.meta.name, 60);
  if (ran === undefined) return `${name} is new, or has changed since that run`;
  return ran.state === "done" || ran.state === "cached" ? undefined : `${name} did not succeed in that run`;
}

function digestsOf(job: Job): ReadonlyMap<Vertex, string> {
  const definitions = [job.definition, ...job.images.flatMap(({ platforms }) => platforms.map(({ definition }) => definition))];
  const nodes = definitions.flatMap((definition) => definition.nodes);
  return new Map(nodes.flatMap(({ digest, vertices }) => vertices.map((vertex) => [vertex, digest] as const)));
}
