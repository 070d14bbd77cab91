// One computation of a node: its inputs at their versions, one run of its command, its results in their sources. It is recorded before it begins.
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inputError, normalizeReference, UserError } from "../../compiler/index.ts";
import { imagesDir, openImageStore } from "../../runtime/images/index.ts";
import type { UpEvent } from "../events.ts";
import type { JobFacts } from "../observers.ts";
import type { RunChoices, UpRequest } from "../request.ts";
import type { Data } from "../sources/open.ts";
import { askSource } from "../sources/refresh.ts";
import type { Source } from "../sources/source.ts";
import { type AskScope, detailOf, type Seen, type SourceRequest, versionKey, versionOf } from "../sources/versions.ts";
import type { Datum, DatumEdge, DatumKey, Job, Json } from "../store/index.ts";
import { upAgain } from "../up.ts";
import { configOf, named, type Taken } from "./config.ts";
import { checkOutput, give } from "./give.ts";
import { givenBy } from "./graph.ts";
import type { Node } from "./node.ts";
import type { Known } from "./parameters.ts";
import { readPrivate } from "./private.ts";
import { takeVersion } from "./take.ts";

/** What running a node is given beside the sources. */
export interface NodeRequest extends SourceRequest, Pick<RunChoices, "locked" | "sourcePolicy" | "cacheFrom" | "cacheTo"> {
  /** Runs a command also when nothing has changed. */
  readonly force?: boolean;
  readonly noCache?: boolean;
  readonly onEvent: (event: UpEvent) => void;
  /** Told the id of the run of a command when its row is durable. */
  readonly onRecorded?: (run: string) => void;
  /** Commands are left to workers that have the node's labels as their tags. */
  readonly workers?: boolean;
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
    return await computeNow({ ...work, isLost: () => lease.signal.aborted });
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
  /** Somebody else does it by now. */
  readonly isLost: () => boolean;
}

async function computeNow({ node, key, inputs, data, scope, request, isLost }: Work): Promise<Computed> {
  const { sources, store } = data;
  const outputs = givenBy(node).flatMap((name) => sources.find((one) => one.name === name) ?? []);
  for (const source of outputs) checkOutput(source);
  const taken: Taken[] = [];
  for (const { source, datum } of inputs) taken.push(await takeVersion(source, { id: datum.id, detail: detailOf(datum) }, scope));
  const about = describe(node, inputs, outputs);
  // What the sources have before: their next versions have it in them.
  const before = new Map<string, Seen>();
  for (const source of outputs) before.set(source.name, (await askSource(source, scope)).current);
  const edges = inputs.map(({ datum }): DatumEdge => ({ child: key, parent: datum, kind: "input" }));
  const note = (state: string, more: { readonly [name: string]: Json } = {}, run?: string): Promise<void> =>
    store.lineages.record(
      [
        ...inputs.map(({ datum: { time: _, ...datum } }) => datum),
        { ...key, state, detail: { ...about, ...more }, ...(run === undefined ? {} : { run }), isCurrent: true },
      ],
      edges,
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
    for (const [index, source] of outputs.entries()) await give(source, saved[index] ?? "", scope);
    const given: (readonly [Source, Seen])[] = [];
    for (const source of outputs) given.push([source, (await askSource(source, scope)).current]);
    await note("success", { image: await imageOf(node, facts, request), outputs: given.map(([{ name }, { id }]) => `${name}:${id}`) }, run);
    await recordOutputs(given, before, key, run, data);
  } catch (error) {
    await noted.catch(() => undefined);
    const state = request.signal.aborted ? "cancelled" : "failure";
    const why = error instanceof UserError ? (error.diagnostics[0]?.message ?? "") : String(error);
    if (!isLost()) await note(state, { error: why, image: node.image }, run).catch(() => undefined);
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
  const { force = false, noCache = false, onNotice: _, onJob: __, workers: ___, ...rest } = request;
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

async function recordOutputs(
  given: readonly (readonly [Source, Seen])[],
  before: ReadonlyMap<string, Seen>,
  key: DatumKey,
  run: string | undefined,
  { store }: Data,
): Promise<void> {
  for (const [source, seen] of given) {
    const old = before.get(source.name);
    const grown = old !== undefined && old.id !== seen.id && old.detail["files"] !== "0" && old.detail["objects"] !== "0";
    const made = { ...versionOf(source, seen, true), ...(run === undefined ? {} : { run }) };
    const child = versionKey(source.name, seen.id);
    await store.lineages.record(
      [...(grown ? [versionOf(source, old)] : []), made],
      [
        { child, parent: key, kind: "output" },
        ...(grown ? [{ child, parent: versionKey(source.name, old.id), kind: "before" } as const] : []),
      ],
    );
  }
}

/** What is remembered of a computation beside its edges. */
function describe(node: Node, inputs: Work["inputs"], outputs: readonly Source[]): { readonly [name: string]: Json } {
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
