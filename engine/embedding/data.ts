// Sources and nodes of the workspace around an engine's directory, for embedding programs: what `dagger source`, `node` and `inspect` do.
import type { UpEvent } from "../events.ts";
import type { ManifestRecord } from "../manifest/index.ts";
import type { Computed, NewNode, Node, NodeComputation, Updated } from "../nodes/index.ts";
import type { Push, Resolution, Settled } from "../pushing/index.ts";
import type { Surroundings } from "../request.ts";
import type {
  AddedSource,
  ConflictPolicy,
  Link,
  ListedSource,
  NewSource,
  Refreshed,
  Source,
  SourceRequest,
  SourceSettings,
  SourceVersion,
} from "../sources/index.ts";
import type { Access, Calls } from "./calls.ts";
import type { CallOptions, DaemonOptions, UpOptions } from "./requests.ts";

/** `allowHost`: credentials may come from programs on this machine. */
export interface DataOptions extends CallOptions, DaemonOptions, Pick<UpOptions, "allowHost"> {}

export interface ComputeOptions
  extends DataOptions,
    Pick<UpOptions, "noCache" | "cacheFrom" | "cacheTo" | "locked" | "sourcePolicy" | "onEvent"> {
  /** Commands run also when nothing has changed. Default false. */
  readonly force?: boolean;
  /** Commands are left to workers (`jobs.work`) that have the node's labels as tags, and waited for. Default false. */
  readonly workers?: boolean;
  /** What becomes of results whose source has changed meanwhile. Default: what the source says. */
  readonly onConflict?: ConflictPolicy;
}

/** All reject with UserError: 2 for what is not there, is there already or is wrong; 3 where nobody answers. Sources are named by their names. */
export interface Sources {
  /** Looks at it once: only what is there becomes a source. */
  add(source: NewSource, options?: DataOptions): Promise<AddedSource>;
  /** By name, with the version that counts; nobody is asked. */
  list(options?: CallOptions): Promise<readonly ListedSource[]>;
  /** Versions that are known, the newest first; 50 without `limit`. */
  log(name: string, options?: CallOptions & { readonly limit?: number }): Promise<readonly SourceVersion[]>;
  /** Asks these, or all that are not paused. What cannot be asked has an `error` among the results. */
  refresh(names?: readonly string[], options?: DataOptions): Promise<readonly Refreshed[]>;
  /** Makes one version count, whole or as it begins. */
  pin(name: string, version: string, options?: DataOptions): Promise<Source>;
  unpin(name: string, options?: CallOptions): Promise<Source>;
  /** Points it elsewhere; what is known of it stays. */
  move(source: NewSource, options?: DataOptions): Promise<AddedSource>;
  pause(name: string, options?: CallOptions): Promise<Source>;
  resume(name: string, options?: CallOptions): Promise<Source>;
  /** How a watch follows it (milliseconds between looks), and how what nodes give to it is pushed. */
  set(name: string, what: SourceSettings, options?: CallOptions): Promise<Source>;
  /** Pushes what waits for these repositories, or for all, and waits for it. What is not pushed has an `error` among the results. */
  push(names?: readonly string[], options?: DataOptions): Promise<readonly Settled[]>;
  /** What of these, or of all, is not pushed: `waiting`, or a `conflict`. Nobody is asked. */
  pushes(names?: readonly string[], options?: CallOptions): Promise<readonly Push[]>;
  /** Ends the conflicts of a source: by a policy, a commit that somebody made, or giving up (`drop`). */
  resolve(name: string, by: Resolution, options?: DataOptions): Promise<readonly Settled[]>;
  /** Says that a version was made from another; both are `NAME:ID`. */
  link(from: string, to: string, options?: CallOptions): Promise<Link>;
  /** Gives what it was. */
  remove(name: string, options?: CallOptions): Promise<Source>;
}

/** Nodes are named by their ids, or how these begin. */
export interface Nodes {
  /**
   * Makes a node, or finds the one with the same parameters, and runs it where an input has a new version. `onNode` hears of it before it runs. Rejects
   * as `up`.
   */
  run(node: NewNode, options?: ComputeOptions & { readonly onNode?: (node: Node) => void }): Promise<Computed>;
  /** Runs all whose inputs have new versions, or these and those behind them, in order. One that failed has an `error` among the results. */
  update(ids?: readonly string[], options?: ComputeOptions): Promise<readonly Updated[]>;
  list(options?: CallOptions): Promise<readonly Node[]>;
  /** Its computations, the newest first. */
  log(id: string, options?: CallOptions): Promise<readonly NodeComputation[]>;
  /** Gives what it was; its computations stay known. */
  remove(id: string, options?: CallOptions): Promise<Node>;
}

/** Following sources is `watch` with `sources`. */
export interface Data {
  readonly sources: Sources;
  readonly nodes: Nodes;
  /** What a version (`NAME:ID`) was made from: what comes from nothing first, the version itself last. */
  inspect(version: string, options?: CallOptions): Promise<readonly ManifestRecord[]>;
}

const pushing = async () => import("../pushing/index.ts");
type SourceCode = typeof import("../sources/index.ts");
type NodeCode = typeof import("../nodes/index.ts");

export function dataOf(surroundings: Surroundings, calls: Calls, daemon: DaemonOptions): Data {
  const requestOf = ({ buildkit, tls, allowHost = false }: DataOptions, signal: AbortSignal): SourceRequest => {
    const own = { ...(buildkit === undefined ? {} : { buildkit }), ...(tls === undefined ? {} : { tls }) };
    return { ...surroundings, ...daemon, ...own, allowHost, signal };
  };
  return {
    sources: sourcesOf(calls, requestOf),
    nodes: nodesOf(calls, requestOf),
    inspect: (version, options = {}) =>
      calls.run({ action: "read", resource: `sources/${version}` }, options, async (signal) => {
        const { manifestOf } = await import("../manifest/index.ts");
        return (await manifestOf(requestOf(options, signal), version)).records;
      }),
  };
}

type RequestOf = (options: DataOptions, signal: AbortSignal) => SourceRequest;

function sourcesOf(calls: Calls, requestOf: RequestOf): Sources {
  const call = <T>(
    action: Access["action"],
    name: string,
    options: DataOptions = {},
    work: (code: SourceCode, request: SourceRequest) => Promise<T>,
  ): Promise<T> =>
    calls.run({ action, resource: name === "" ? "sources" : `sources/${name}` }, options, async (signal) =>
      work(await import("../sources/index.ts"), requestOf(options, signal)),
    );
  return {
    add: (source, options) => call("write", source.name, options, ({ addSource }, request) => addSource(request, source)),
    list: (options) => call("read", "", options, ({ listSources }, request) => listSources(request)),
    log: (name, options) =>
      call("read", name, options, async ({ logSource }, request) => (await logSource(request, name, options?.limit ?? 50)).versions),
    refresh: (names = [], options) =>
      call("write", names.join(","), options, ({ lookAtSources }, request) => lookAtSources(request, names)),
    pin: (name, version, options) => call("write", name, options, ({ pinSource }, request) => pinSource(request, name, version)),
    unpin: (name, options) => call("write", name, options, ({ unpinSource }, request) => unpinSource(request, name)),
    move: (source, options) => call("write", source.name, options, ({ moveSource }, request) => moveSource(request, source)),
    pause: (name, options) => call("write", name, options, ({ pauseSource }, request) => pauseSource(request, name, true)),
    resume: (name, options) => call("write", name, options, ({ pauseSource }, request) => pauseSource(request, name, false)),
    set: (name, what, options) => call("write", name, options, ({ setSource }, request) => setSource(request, name, what)),
    push: (names = [], options) =>
      call("write", names.join(","), options, async (_, request) => (await pushing()).pushSources(request, names)),
    pushes: (names = [], options) =>
      call("read", names.join(","), options, async (_, request) => (await pushing()).listPushes(request, names)),
    resolve: (name, by, options) => call("write", name, options, async (_, request) => (await pushing()).resolveSource(request, name, by)),
    link: (from, to, options) => call("write", to, options, ({ linkVersions }, request) => linkVersions(request, from, to)),
    remove: (name, options) => call("write", name, options, ({ removeSource }, request) => removeSource(request, name)),
  };
}

function nodesOf(calls: Calls, requestOf: RequestOf): Nodes {
  const call = <T>(
    action: Access["action"],
    id: string,
    options: DataOptions = {},
    work: (code: NodeCode, request: SourceRequest) => Promise<T>,
  ): Promise<T> =>
    calls.run({ action, resource: id === "" ? "nodes" : `nodes/${id}` }, options, async (signal) =>
      work(await import("../nodes/index.ts"), requestOf(options, signal)),
    );
  return {
    run: (node, options = {}) =>
      call("run", "", options, ({ runNode }, request) =>
        runNode({ ...request, ...computing(options) }, node, options.onNode ?? (() => undefined)),
      ),
    update: (ids = [], options = {}) =>
      call("run", ids.join(","), options, ({ updateNodes }, request) =>
        updateNodes({ ...request, ...computing(options) }, ids, { begin: () => undefined, end: () => undefined }),
      ),
    list: (options) => call("read", "", options, ({ listNodes }, request) => listNodes(request)),
    log: (id, options) => call("read", id, options, async ({ logNode }, request) => (await logNode(request, id)).computations),
    remove: (id, options) => call("write", id, options, ({ removeNode }, request) => removeNode(request, id)),
  };
}

/** What of the options is about running commands. */
function computing(options: ComputeOptions) {
  const { force, workers, onConflict, noCache, cacheFrom, cacheTo, locked, sourcePolicy, onEvent = (_: UpEvent) => undefined } = options;
  return {
    ...(force === undefined ? {} : { force }),
    ...(workers === undefined ? {} : { workers }),
    ...(onConflict === undefined ? {} : { onConflict }),
    ...(noCache === undefined ? {} : { noCache }),
    ...(cacheFrom === undefined ? {} : { cacheFrom }),
    ...(cacheTo === undefined ? {} : { cacheTo }),
    ...(locked === undefined ? {} : { locked }),
    ...(sourcePolicy === undefined ? {} : { sourcePolicy }),
    onEvent,
  };
}
