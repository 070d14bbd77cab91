// One computation of a node: its inputs at their versions, one run of its command, its results in their sources. It is recorded before it begins.
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inputError, normalizeReference, UserError } from "../../compiler/index.ts";
import { imagesDir, openImageStore } from "../../runtime/images/index.ts";
import type { UpEvent } from "../events.ts";
import type { JobFacts } from "../observers.ts";
import type { Origin } from "../pushing/identity.ts";
import type { Settled } from "../pushing/waiting.ts";
import type { RunChoices, UpRequest } from "../request.ts";
import type { ConflictPolicy } from "../sources/conflict.ts";
import type { Data } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import { type AskScope, detailOf, type SourceRequest, versionKey, versionOf } from "../sources/versions.ts";
import type { Datum, DatumEdge, DatumKey, Job, Json, Lease } from "../store/index.ts";
import { upAgain } from "../up.ts";
import { configOf, named, type Taken } from "./config.ts";
import { checkOutput, type Destination, type Given, openDestination } from "./give.ts";
import { givenBy } from "./graph.ts";
import { isWrittenAtOnce, lookBeside, type Made, madeBy } from "./made.ts";
import type { Node } from "./node.ts";
import type { Known } from "./parameters.ts";
import { readPrivate } from "./private.ts";
import { takeVersion } from "./take.ts";

/** What running a node is given beside the sources. */
export interface NodeRequest extends SourceRequest, Pick<RunChoices, "locked" | "sourcePolicy" | "cacheFrom" | "cacheTo"> {
  /** What becomes of results whose source has changed meanwhile, in place of what the source says. */
  readonly onConflict?: ConflictPolicy;
  /** Runs a command also when nothing has changed. */
  readonly force?: boolean;
  readonly noCache?: boolean;
  readonly onEvent: (event: UpEvent) => void;
  /** Told the id of the run of a command when its row is durable. */
  readonly onRecorded?: (run: string) => void;
  /** Commands are left to workers that have the node's labels as their tags. */
  readonly workers?: boolean;
  /** Aborting ends the command, where nothing that it made was given yet; not one that a worker has: others may wait for the same. */
  readonly superseded?: AbortSignal;
  /** Told of the job that is left to a worker: at once, and when its state changes. */
  readonly onJob?: (job: Job) => void;
}

export interface Computed {
  readonly node: Node;
  /** Of the computation. */
  readonly id: string;
  /** `current`: it was there already. */
  readonly state: "current" | "success";
  readonly run?: string;
  /** `NAME:ID` of what it took and gave. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What became of commits that had to be pushed to its outputs, where that was waited for. */
  readonly pushes?: readonly Settled[];
}

/** The versions that count now. Throws UserError (2) `no-version`. */
export async function inputsOf(
  node: Node,
  { sources, store }: Data,
): Promise<readonly { readonly source: Source; readonly datum: Datum }[]> {
  const found: { source: Source; datum: Datum }[] = [];
  for (const name of node.inputs) {
    const source = sources.find((one) => one.name === name);
    const pinned = source?.pin === undefined ? undefined : await store.lineages.get(versionKey(name, source.pin));
    const datum = pinned ?? (source?.pin === undefined ? (await store.lineages.newest("version", [name]))[0] : pinnedDatum(source));
    if (source === undefined || datum === undefined) {
      const message = `No version of the source ${name} is known`;
      throw inputError({ code: "no-version", message, at: [], hint: `Look for one: dagger source refresh ${name}` });
    }
    found.push({ source, datum });
  }
  return found;
}

/** One that nobody on this machine has seen yet: the pin came with a clone. */
function pinnedDatum(source: Source): Datum {
  return { ...versionOf(source, { id: source.pin ?? "", detail: {} }), time: 0 };
}

/** The same node with the same inputs is the same computation. */
export function computationKey(node: Node, inputs: readonly Pick<Datum, "name" | "id">[]): DatumKey {
  const text = JSON.stringify([node.id, inputs.map(({ name, id }) => [name, id])]);
  return { kind: "computation", name: node.id, id: createHash("sha256").update(text).digest("hex") };
}

/** The id of the computation that a node's inputs ask for, which was not done yet; undefined when it was. Throws UserError (2) `no-version`. */
export async function dueComputation(node: Node, data: Data): Promise<string | undefined> {
  const inputs = await inputsOf(node, data);
  const key = computationKey(
    node,
    inputs.map(({ datum }) => datum),
  );
  return (await data.store.lineages.get(key))?.state === "success" ? undefined : key.id;
}

/** Throws as `up`, and UserError (2) `no-version`, `version-gone`, `unknown-parameter`, `node-output`. */
export async function compute(node: Node, data: Data, scope: AskScope, request: NodeRequest): Promise<Computed> {
  const { store } = data;
  const lease = await store.leases.acquire({ key: `node:${node.id}`, signal: request.signal });
  try {
    const inputs = await inputsOf(node, data);
    const key = computationKey(
      node,
      inputs.map(({ datum }) => datum),
    );
    const before = await store.lineages.get(key);
    if (before?.state === "success" && request.force !== true) return computed(node, before, "current");
    // A process that was thought to be dead, and wakes up, gives nothing any more.
    const signal = AbortSignal.any([request.signal, lease.signal]);
    const work = { node, key, inputs, data, scope: { ...scope, signal }, request: { ...request, signal } };
    return await computeNow({ ...work, lease });
  } finally {
    await lease.release();
  }
}

interface Work {
  readonly node: Node;
  readonly key: DatumKey;
  readonly inputs: Awaited<ReturnType<typeof inputsOf>>;
  readonly data: Data;
  readonly scope: AskScope;
  readonly request: NodeRequest;
  /** Nothing is recorded without it: somebody else does it by then. */
  readonly lease: Lease;
}

async function computeNow({ node, key, inputs, data, scope, request, lease }: Work): Promise<Computed> {
  const { sources, store } = data;
  const outputs = givenBy(node).flatMap((name) => sources.find((one) => one.name === name) ?? []);
  for (const source of outputs) checkOutput(source);
  const taken: Taken[] = [];
  for (const { source, datum } of inputs) taken.push(await takeVersion(source, { id: datum.id, detail: detailOf(datum) }, scope));
  const about = describe(node, inputs, outputs);
  // What the sources have before: their next versions have it in them.
  const destinations: Destination[] = [];
  for (const source of outputs) destinations.push(await openDestination(source, scope, data, request.onConflict));
  const changedBeside = await lookBeside(outputs, sources, scope);
  const edges = inputs.map(({ datum }): DatumEdge => ({ child: key, parent: datum, kind: "input" }));
  const note = (
    state: string,
    more: { readonly [name: string]: Json } = {},
    run?: string,
    made: Made = { data: [], edges: [] },
  ): Promise<void> =>
    store.lineages.record(
      [
        ...inputs.map(({ datum: { time: _, ...datum } }) => datum),
        { ...key, state, detail: { ...about, ...more }, ...(run === undefined ? {} : { run }), isCurrent: true },
        ...made.data,
      ],
      [...edges, ...made.edges],
      lease,
    );
  await note("pending");
  let run: string | undefined;
  let facts: JobFacts | undefined;
  let noted = Promise.resolve();
  try {
    const saved = await runCommand(node, taken, outputs, request, data, {
      onRecorded: (id) => {
        run = id;
        request.onRecorded?.(id);
        noted = note("pending", {}, id);
        noted.catch(() => undefined);
      },
      onJob: (seen) => {
        facts = seen;
      },
    });
    await noted;
    request.signal.throwIfAborted();
    // Who was away for too long learns here that it may give nothing any more.
    await note("pending", {}, run);
    const origin = originOf(node, key, about, run, request);
    const given: (readonly [Source, Given])[] = [];
    // What is only kept here comes last: whatever fails before leaves nothing that is not recorded.
    for (const one of destinations.toSorted((a, b) => Number(isWrittenAtOnce(b.source)) - Number(isWrittenAtOnce(a.source))))
      given.push([one.source, await one.give(saved[destinations.indexOf(one)] ?? "", origin)]);
    const names = given.map(([{ name }, { seen }]) => `${name}:${seen.id}`).sort();
    await note(
      "success",
      { image: await imageOf(node, facts, request), outputs: names },
      run,
      madeBy(key, [...given, ...(await changedBeside())], run),
    );
  } catch (error) {
    await noted.catch(() => undefined);
    const state = request.signal.aborted || request.superseded?.aborted === true ? "cancelled" : "failure";
    const why = error instanceof UserError ? (error.diagnostics[0]?.message ?? "") : String(error);
    await note(state, { error: why, image: node.image }, run).catch(() => undefined);
    throw error;
  }
  const after = await store.lineages.get(key);
  return computed(node, after ?? { ...key, state: "success", detail: about, time: 0 }, "success");
}

interface Watched {
  readonly onRecorded: (run: string) => void;
  readonly onJob: (facts: JobFacts) => void;
}

/** Gives the directories with what the command left in its outputs. */
async function runCommand(
  node: Node,
  taken: readonly Taken[],
  outputs: readonly Source[],
  request: NodeRequest,
  { workspace }: Data,
  { onRecorded, onJob }: Watched,
): Promise<readonly string[]> {
  const { force = false, noCache = false, onNotice: _, onJob: __, workers: ___, onConflict: ____, superseded, ...rest } = request;
  const fields = await readPrivate(workspace, request.cwd);
  const secretEnv = named(node, fields.names);
  const given = outputs.map((source): Known => ({ source, root: `/out/${source.name}` }));
  const config = configOf(node, taken, given, { fresh: force, secretEnv, secrets: fields.secrets(secretEnv) });
  const dir = join(workspace.state, "nodes", node.id.slice(0, 16));
  await rm(join(dir, "given"), { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "node.cue"), config.text);
  const wanted: UpRequest = {
    ...rest,
    cwd: workspace.root,
    signal: superseded === undefined ? request.signal : AbortSignal.any([request.signal, superseded]),
    dir,
    inputs: [],
    targets: [],
    typedInputs: config.typedInputs,
    secrets: config.secrets,
    secretCalls: fields.calls,
    noCache,
    onRecorded,
  };
  const result = await upAgain(wanted, { observer: { job: onJob, listed: () => undefined, saved: () => undefined } });
  // In the order of the ops.
  return config.saved.map((name) => result.saved.find(({ dest }) => dest.endsWith(name))?.dest ?? join(dir, name));
}

function originOf(node: Node, { id }: DatumKey, { inputs }: Described, run: string | undefined, { onConflict }: NodeRequest): Origin {
  const more = { ...(run === undefined ? {} : { run }), ...(onConflict === undefined ? {} : { policy: onConflict }) };
  return { node: node.id, computation: id, inputs, ...more };
}

interface Described {
  readonly [name: string]: Json;
  readonly inputs: readonly string[];
}

/** What is remembered of a computation beside its edges. */
function describe(node: Node, inputs: Work["inputs"], outputs: readonly Source[]): Described {
  return {
    labels: node.labels,
    command: node.command,
    inputs: inputs.map(({ datum }) => `${datum.name}:${datum.id}`),
    volumes: [...node.inputs.map((name) => `${name}:/in/${name}`), ...outputs.map(({ name }) => `${name}:/out/${name}`)],
  };
}

/** With its digest: the one that the daemon was asked for, or that of the image on this machine. */
async function imageOf({ image }: Node, facts: JobFacts | undefined, { env }: Pick<NodeRequest, "env">): Promise<string> {
  const reference = normalizeReference(image);
  const stored = reference.ok ? (await openImageStore(imagesDir(env)).list()).find(({ ref }) => ref === reference.reference) : undefined;
  if (stored !== undefined) return `${stored.ref}@${stored.digest}`;
  const found = [...(facts?.images ?? [])].find(([ref]) => reference.ok && ref.split("@")[0] === reference.reference);
  return found === undefined ? image : `${found[0].split("@")[0] ?? image}@${found[1]}`;
}

/** What is remembered of a computation. */
export function computed(node: Node, { id, run, detail }: Datum, state: Computed["state"]): Computed {
  const { inputs = [], outputs = [] } = detail as { readonly inputs?: readonly string[]; readonly outputs?: readonly string[] };
  return { node, id, state, inputs, outputs, ...(run === undefined ? {} : { run }) };
}
