// Nodes as a person manages them: made and run, run again where inputs have changed, listed, removed.
import { readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { inputError, UserError } from "../../compiler/index.ts";
import { withDaemon } from "../sources/ask/daemon.ts";
import { type Data, withData } from "../sources/open.ts";
import { failureOf, refreshSources } from "../sources/refresh.ts";
import { readSources, type Source, writeSource } from "../sources/source.ts";
import type { AskScope, SourceRequest } from "../sources/versions.ts";
import { notWritten } from "../workspace/json-file.ts";
import { changing } from "../workspace/lock.ts";
import { type Computed, computationKey, compute, inputsOf, type NodeRequest } from "./compute.ts";
import { commandOf } from "./config.ts";
import { checkOutput } from "./give.ts";
import { checkNode, givenBy, inOrder, takenBefore, withFollowers } from "./graph.ts";
import { findNode, type Node, nodeFile, nodeOf, readNodes, writeNode } from "./node.ts";
import { pushOutputs } from "./outputs.ts";
import { variablesOf } from "./parameters.ts";

/** A node as a person writes it. */
export interface NewNode {
  readonly labels?: readonly string[];
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly image?: string;
  readonly platform?: string;
  /** A program with its arguments, or a script of this machine with its. */
  readonly command: readonly string[];
}

/** What nodes run in where nothing else is said. */
const usualImage = "docker.io/library/busybox:latest";
const longestScript = 1 << 20;

/**
 * Makes a node, or finds the one with the same parameters, and runs it where one of its inputs has a new version. `onNode` is told its id before it
 * runs. Throws UserError (2) `unknown-source`, `compute-edge`, `data-cycle`, `node-output`, `no-command`, and as `compute`.
 */
export function runNode(request: NodeRequest, wish: NewNode, onNode: (node: Node) => void): Promise<Computed> {
  const { labels = [], inputs = [], outputs = [], image = usualImage, platform, command } = wish;
  if (command.length === 0 || command[0] === "") {
    const hint = "Write it behind --, for example: dagger node run --input web -- ls /in/web";
    throw inputError({ code: "no-command", message: "The node has no command", at: [], hint });
  }
  const script = scriptOf(resolve(request.cwd, command[0] ?? ""), command);
  const node = nodeOf({
    labels,
    inputs,
    outputs,
    image,
    command,
    ...(platform === undefined ? {} : { platform }),
    ...(script === undefined ? {} : { script }),
  });
  return withData(request, async (opened) => {
    if (request.workers === true) (await import("../work/tags.ts")).checkTags(labels);
    const nodes = await readNodes(opened.workspace, request.cwd);
    checkNode(node, opened.sources, nodes);
    const data = await withOwnSource(node, opened, request);
    check(node, data.sources);
    await changing(data.workspace, () => writeNode(data.workspace, node));
    onNode(node);
    return computeFresh(node, data, request);
  });
}

/** The text of the command where it is a file of this machine. */
function scriptOf(file: string, [program = ""]: readonly string[]): string | undefined {
  const isFile = !/\s/.test(program) && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  // A program that is only called so is looked for in the container.
  if (!isFile || (statSync(file).size > longestScript && !program.includes("/"))) return undefined;
  const text = readFileSync(file);
  if (text.length <= longestScript && !text.includes(0)) return text.toString("utf8");
  const hint = "Bring it into the container with a source, and name it there: ${SOURCE:ROOT}/PROGRAM";
  throw inputError({ code: "no-command", message: `${program} is no script: it is too large, or no text`, at: [], hint });
}

/** What is wrong with a command is told before the node is there. */
function check(node: Node, sources: readonly Source[]): void {
  const of = (names: readonly string[], dir: string): { source: Source; root: string }[] =>
    names.flatMap((name) => sources.filter((one) => one.name === name).map((source) => ({ source, root: `/${dir}/${name}` })));
  const outputs = of(givenBy(node), "out");
  for (const { source } of outputs) checkOutput(source);
  const known = [...of(node.inputs, "in"), ...outputs];
  variablesOf(known);
  // Fields of versions are not known before there are any.
  try {
    commandOf(node, known);
  } catch (error) {
    if (!(error instanceof UserError) || !/ has no field /.test(error.diagnostics[0]?.message ?? "")) throw error;
  }
}

/** A node that names no outputs gives a source that is made for it. */
async function withOwnSource(node: Node, data: Data, { cwd }: SourceRequest): Promise<Data> {
  const [name = ""] = givenBy(node);
  if (node.outputs.length > 0 || data.sources.some((one) => one.name === name)) return data;
  const source: Source = { name, kind: "path", location: `.dagger/state/sources/${name}` };
  await changing(data.workspace, () => writeSource(data.workspace, source));
  return { ...data, sources: await readSources(data.workspace, cwd) };
}

/** Its inputs are looked at first, but for those that are paused or pinned. */
async function computeFresh(node: Node, data: Data, request: NodeRequest): Promise<Computed> {
  const wanted = data.sources.filter(({ name, paused, pin }) => node.inputs.includes(name) && paused !== true && pin === undefined);
  const failure = failureOf(await refreshSources(wanted, data.sources, { ...data, request }));
  if (failure !== undefined) throw failure;
  return withDaemon(request, async (askDaemon) => {
    const scope: AskScope = { ...request, workspace: data.workspace, askDaemon };
    const byWorker = request.workers === true ? await import("../work/nodes.ts") : undefined;
    const done = await (byWorker?.computeByWorker(node, data, request) ?? compute(node, data, scope, request));
    const pushes = await pushOutputs(node, data, scope);
    return pushes.length === 0 ? done : { ...done, pushes };
  });
}

/** What became of one of several nodes. */
export interface Updated {
  readonly node: Node;
  readonly computed?: Computed;
  /** Why it failed, or that what it takes could not be computed. */
  readonly error?: unknown;
  readonly skipped?: boolean;
}

/**
 * Runs nodes whose inputs have new versions, each after those whose results it takes: all of them, or those that are named with all that comes after
 * them. A node that fails stops only what needs it.
 */
export function updateNodes(
  request: NodeRequest,
  ids: readonly string[],
  tell: { readonly begin: (node: Node) => void; readonly end: (done: Updated) => void },
): Promise<readonly Updated[]> {
  return withData(request, async (data) => {
    const nodes = await readNodes(data.workspace, request.cwd);
    const start = ids.map((id) => findNode(nodes, id));
    const wanted = inOrder(ids.length === 0 ? nodes : withFollowers(start, nodes, data.sources), data.sources);
    const done: Updated[] = [];
    const update = async (node: Node): Promise<void> => {
      const lost = done.filter(({ computed }) => computed === undefined).map((one) => one.node);
      const skipped = lost.length > 0 && withFollowers(lost, nodes, data.sources).includes(node);
      tell.begin(node);
      const one = skipped ? { node, skipped } : await updateOne(node, data, request);
      tell.end(one);
      done.push(one);
    };
    // Workers may do at the same time what does not need each other.
    if (request.workers === true) await eachAfter(wanted, (node) => takenBefore(node, wanted, data.sources), update);
    else for (const node of wanted) await update(node);
    return done;
  });
}

/** Does each, which are in order, as soon as those before it are done. */
async function eachAfter<T>(all: readonly T[], before: (one: T) => readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const begun = new Map<T, Promise<void>>();
  for (const one of all)
    begun.set(
      one,
      Promise.all(before(one).flatMap((other) => begun.get(other) ?? [])).then(() => work(one)),
    );
  await Promise.all(begun.values());
}

async function updateOne(node: Node, data: Data, request: NodeRequest): Promise<Updated> {
  try {
    return { node, computed: await computeFresh(node, data, request) };
  } catch (error) {
    if (!(error instanceof UserError) || error.exit === 130) throw error;
    return { node, error };
  }
}

/** By id. */
export function listNodes(request: SourceRequest): Promise<readonly Node[]> {
  return withData(request, ({ workspace }) => readNodes(workspace, request.cwd));
}

/** A computation, or one that is still to come. */
export interface NodeComputation {
  readonly id: string;
  readonly state: "pending" | "success" | "failure" | "cancelled" | "interrupted";
  readonly run?: string;
  readonly time?: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Newest first; the first is pending when an input has a version that it was not run for. Throws UserError (2) `unknown-node`. */
export function logNode(
  request: SourceRequest,
  id: string,
): Promise<{ readonly node: Node; readonly computations: readonly NodeComputation[] }> {
  return withData(request, async (data) => {
    const { workspace, store } = data;
    const node = findNode(await readNodes(workspace, request.cwd), id);
    const found: NodeComputation[] = [];
    for (const { id, state, run, time, detail } of await store.lineages.list({ kind: "computation", name: node.id })) {
      const { inputs = [], outputs = [] } = detail as Partial<Pick<NodeComputation, "inputs" | "outputs">>;
      // One that was killed could not say so.
      const over = state === "pending" && run !== undefined && !["queued", "running"].includes((await store.runs.get(run))?.state ?? "");
      const told = (over ? "interrupted" : state) as NodeComputation["state"];
      found.push({ id, state: told, time, inputs, outputs, ...(run === undefined ? {} : { run }) });
    }
    const inputs = await inputsOf(node, data).catch(() => undefined);
    if (inputs === undefined) return { node, computations: found };
    const data_ = inputs.map(({ datum }) => datum);
    const next = computationKey(node, data_).id;
    const waiting = { id: next, state: "pending" as const, inputs: data_.map((one) => `${one.name}:${one.id}`), outputs: [] };
    return { node, computations: found.some((one) => one.id === next) ? found : [waiting, ...found] };
  });
}

/** Its computations, and what they gave, stay. Throws UserError (2) `unknown-node`. */
export function removeNode(request: SourceRequest, id: string): Promise<Node> {
  return withData(request, ({ workspace }) =>
    changing(workspace, async () => {
      const node = findNode(await readNodes(workspace, request.cwd), id);
      await rm(nodeFile(workspace, node)).catch((cause: unknown) => {
        throw notWritten(nodeFile(workspace, node), cause);
      });
      return node;
    }),
  );
}
