// Follows the daemon's status stream: which step of the graph is in what state, told as engine events.
import { type Definition, type Diagnostic, type ExecMount, execMounts, originOf, type Vertex } from "../../compiler/index.ts";
import { type Download, readableReason, type StatusUpdate } from "../../runtime/solve/index.ts";
import type { Step, UpEvent } from "../events.ts";
import { clippedWarning, withoutMark } from "./clipped.ts";

type State = "waiting" | "started" | "cached" | "done" | "error" | "canceled";

interface Tracked {
  readonly step: Step;
  /** Of the graph, not added by the daemon. */
  readonly planned: boolean;
  /** Counted in the summary: work that the config asks for, not the transfer of sources nor the collecting of results. */
  readonly counted: boolean;
  readonly download: Download | undefined;
  /** Of an exec. Read when it fails: for a Dockerfile's that takes decoding. */
  readonly mounts: () => Mounts | undefined;
  state: State;
  /** As the daemon told last, whatever was made of it. */
  running: boolean;
  /** Why it failed, in the daemon's words. */
  error?: string;
}

/** Where a process has filesystems mounted, and of which kind. */
export type Mounts = readonly ExecMount[];

/** What a step that only the daemon knows of belongs to: an op's words, component and lines. */
export interface StepOwner {
  readonly name: string;
  readonly component: string;
  readonly at: Step["at"];
}

/** Stores of cache are numbered by the daemon: the number is made of all their attributes, also of keys. */
const storeNumber = /^(importing cache manifest from \w+):\d{9,}$/;

/** How a step is told that the daemon knows nothing of. */
export interface StepReport {
  tell(state: "started" | "cached" | "done" | "error" | "canceled", error?: string): void;
  log(stream: 1 | 2, data: Uint8Array): void;
}

export class StepTracker {
  /** Builds that run side by side tell of the vertices that they share, each of all: who told first goes on. */
  readonly #tellers = new Map<string, object>();
  readonly #tracked = new Map<string, Tracked>();
  /** By the digest of the layer. */
  readonly #layers = new Map<string, Step>();
  /** Steps whose log the daemon cut short. */
  readonly #clipped = new Set<string>();
  readonly #emit: (event: UpEvent) => void;
  /** Puts the config's own lines before those of the library: what a step of a definition of the library is told by. */
  inConfig: (one: Diagnostic) => Diagnostic = (one) => one;

  constructor(emit: (event: UpEvent) => void) {
    this.#emit = emit;
  }

  /** Makes the steps of a pass known before its status arrives. A later pass adds to what an earlier one ran. */
  plan(...definitions: readonly Definition[]): void {
    const steps: Step[] = [];
    const nodes = new Map(definitions.flatMap((definition) => definition.nodes).map((node) => [node.digest, node]));
    for (const { digest, vertex } of nodes.values()) {
      if (vertex === undefined) continue;
      const known = this.#tracked.get(digest);
      const step = known?.step ?? toStep(digest, vertex);
      if (known === undefined) this.#tracked.set(digest, { ...toTracked(vertex), step });
      steps.push(step);
    }
    this.#emit({ type: "plan", steps });
  }

  /** A step that runs here and not on the daemon: whoever runs it tells of it. */
  report(step: Step): StepReport {
    const tracked: Tracked = {
      ...{ step, planned: true, counted: true, download: undefined, mounts: () => undefined },
      ...{ state: "waiting", running: false },
    };
    this.#tracked.set(step.digest, tracked);
    this.#emit({ type: "plan", steps: [step] });
    let started: number | undefined;
    return {
      tell: (state, error) => {
        tracked.state = state;
        const now = Date.now();
        started ??= now;
        const times = state === "started" ? { started } : { started, completed: now };
        this.#emit({ type: "step", step, state, ...times, ...(error === undefined ? {} : { error }) });
      },
      log: (stream, data) => this.#emit({ type: "log", step, stream, data, time: Date.now() }),
    };
  }

  /** The step of a vertex, also for vertices that the graph did not name (a daemon may add some). */
  step(digest: string): Step | undefined {
    return this.#tracked.get(digest)?.step;
  }

  /** What a vertex of the graph takes from the network. */
  download(digest: string): Download | undefined {
    return this.#tracked.get(digest)?.download;
  }

  /** The mounts of a step of the graph that is an exec. */
  mounts(digest: string): Mounts | undefined {
    return this.#tracked.get(digest)?.mounts();
  }

  /** Digest of the step of the graph that failed for this reason: old daemons do not tell it in the error. */
  failed(reason: string): string | undefined {
    const found = [...this.#tracked].find(([, { planned, error }]) => planned && error !== undefined && reason.endsWith(error));
    return found?.[0];
  }

  /** The step of which the daemon told that it downloads this layer. */
  layerOf(layer: string): Step | undefined {
    return this.#layers.get(layer);
  }

  /** Whether the vertex is one of the graph, not one that the daemon added. */
  isPlanned(digest: string): boolean {
    return this.#tracked.get(digest)?.planned ?? false;
  }

  /** Takes the status of one build; `owner` is for steps that it adds itself. */
  follower(owner?: StepOwner): (status: StatusUpdate) => void {
    const teller = {};
    const tells = (digest: string): boolean => {
      const first = this.#tellers.get(digest) ?? teller;
      this.#tellers.set(digest, first);
      return first === teller;
    };
    return (status) =>
      this.#update(
        {
          vertexes: status.vertexes.filter(({ digest }) => tells(digest)),
          statuses: status.statuses.filter(({ vertex }) => tells(vertex)),
          logs: status.logs.filter(({ vertex }) => tells(vertex)),
          warnings: status.warnings.filter(({ vertex }) => tells(vertex)),
        },
        owner,
      );
  }

  #update(status: StatusUpdate, owner: StepOwner | undefined): void {
    const { vertexes, statuses, logs, warnings } = status;
    if (vertexes.length + statuses.length + logs.length + warnings.length > 0) this.#emit({ type: "solve", status });
    for (const vertex of status.vertexes) this.#vertex(vertex, owner);
    for (const { vertex, id, name, current, total, completed } of status.statuses) {
      const step = this.step(vertex);
      if (step !== undefined && id.startsWith("sha256:")) this.#downloads(id, this.#tracked.get(vertex), completed === undefined);
      if (step !== undefined) this.#emit({ type: "status", step, id, name, current, total, completed: completed !== undefined });
    }
    for (const { vertex, stream, data, time } of status.logs) {
      const step = this.step(vertex);
      if (step !== undefined) this.#log(step, stream, data, time);
    }
    for (const warning of status.warnings) {
      const at = this.step(warning.vertex)?.at ?? [];
      this.#emit({ type: "warning", message: warning.short, detail: warning.detail, at, fromDaemon: true });
    }
  }

  /** An image is done once it is resolved; its layers come when a step needs them, and only then does it run again. */
  #downloads(layer: string, tracked: Tracked | undefined, comes: boolean): void {
    if (tracked === undefined) return;
    this.#layers.set(layer, tracked.step);
    if (!comes || !tracked.running || tracked.state !== "done") return;
    tracked.state = "started";
    this.#emit({ type: "step", step: tracked.step, state: "started" });
  }

  #log(step: Step, stream: 1 | 2, bytes: Uint8Array, time: number): void {
    const { data, limit } = withoutMark(bytes);
    this.#emit({ type: "log", step, stream, data, time });
    if (limit === undefined || this.#clipped.has(step.digest)) return;
    this.#clipped.add(step.digest);
    this.#emit(clippedWarning(step, limit));
  }

  #vertex(vertex: StatusUpdate["vertexes"][number], owner: StepOwner | undefined): void {
    const tracked = this.#tracked.get(vertex.digest) ?? this.#unplanned(vertex, owner);
    tracked.running = vertex.started !== undefined && vertex.completed === undefined;
    const state = stateOf(vertex);
    if (state === "waiting" || (tracked.state === state && state !== "started")) return;
    // A later pass asks again for what an earlier one ran: that is no cache hit of this job.
    if (tracked.state === "done" && (state === "cached" || state === "started")) return;
    if (tracked.state === state) return;
    tracked.state = state;
    if (state === "error") tracked.error = vertex.error;
    this.#emit({
      type: "step",
      step: tracked.step,
      state,
      ...(vertex.started === undefined ? {} : { started: vertex.started }),
      ...(vertex.completed === undefined ? {} : { completed: vertex.completed }),
      ...(vertex.error === "" ? {} : { error: tracked.planned ? vertex.error : readableReason(vertex.error) }),
    });
  }

  #unplanned(vertex: StatusUpdate["vertexes"][number], owner: StepOwner | undefined): Tracked {
    const { name, component, at } = owner ?? { name: "", component: "", at: [] };
    const tracked: Tracked = {
      step: { digest: vertex.digest, name: [name, vertex.name.replace(storeNumber, "$1")].filter(Boolean).join(": "), component, at },
      planned: false,
      counted: false,
      download: undefined,
      mounts: () => undefined,
      state: "waiting",
      running: false,
    };
    this.#tracked.set(vertex.digest, tracked);
    return tracked;
  }

  summary(): { total: number; cached: number; run: number } {
    const counted = [...this.#tracked.values()].filter((tracked) => tracked.counted);
    return {
      total: counted.length,
      cached: counted.filter((tracked) => tracked.state === "cached").length,
      run: counted.filter((tracked) => tracked.state === "done").length,
    };
  }
}

function toTracked(vertex: Vertex): Omit<Tracked, "step"> {
  const mounts = (): Mounts | undefined => execMounts(vertex);
  return {
    planned: true,
    counted: vertex.kind !== "host" && isCounted(vertex),
    download: downloadOf(vertex),
    mounts,
    state: "waiting",
    running: false,
  };
}

function toStep(digest: string, vertex: Vertex): Step {
  // What a process of this machine left is uploaded: that it ran was told before.
  if (vertex.kind === "host") return { digest, name: `${vertex.meta.name} (upload)`, component: vertex.meta.component, at: vertex.meta.at };
  return { digest, name: vertex.meta.name, component: vertex.meta.component, at: vertex.meta.at };
}

/** Only of images the daemon tells how much has come. */
function downloadOf(vertex: Vertex): Download | undefined {
  const origin = originOf(vertex);
  return origin && { host: origin.host, counted: origin.kind === "image" };
}

/** Work that the config asks for, not the transfer of sources nor the collecting of results. */
export function isCounted(vertex: Vertex): boolean {
  const source = vertex.kind === "source" || (vertex.kind === "raw" && vertex.op === "source");
  return !source && vertex.meta.component !== "" && !startsFromNothing(vertex);
}

/** A file op on scratch that takes nothing from elsewhere. The daemon reports it as done in every run, cached or not, as it does with sources. */
function startsFromNothing(vertex: Vertex): boolean {
  return vertex.kind === "file" && vertex.base === null && vertex.actions.every((action) => action.kind !== "copy" || action.from === null);
}

function stateOf(vertex: StatusUpdate["vertexes"][number]): State {
  if (vertex.error !== "") return vertex.error.endsWith("context canceled") ? "canceled" : "error";
  if (vertex.cached) return "cached";
  if (vertex.completed !== undefined) return "done";
  return vertex.started === undefined ? "waiting" : "started";
}
