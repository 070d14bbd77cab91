// Follows the daemon's status stream: which step of the graph is in what state, told as engine events.
import type { Definition, Vertex } from "../compiler/index.ts";
import type { StatusUpdate } from "../runtime/solve/index.ts";
import type { Step, UpEvent } from "./events.ts";

type State = "waiting" | "started" | "cached" | "done" | "error" | "canceled";

interface Tracked {
  readonly step: Step;
  /** Counted in the summary: work that the config asks for, not the transfer of sources nor the collecting of results. */
  readonly counted: boolean;
  state: State;
}

export class StepTracker {
  readonly #tracked = new Map<string, Tracked>();
  readonly #emit: (event: UpEvent) => void;

  constructor(emit: (event: UpEvent) => void) {
    this.#emit = emit;
  }

  /** Makes the steps of a pass known before its status arrives. A later pass adds to what an earlier one ran. */
  plan(definition: Definition): void {
    const steps: Step[] = [];
    for (const { digest, vertex } of definition.nodes) {
      if (vertex === undefined) continue;
      const known = this.#tracked.get(digest);
      const step = known?.step ?? toStep(digest, vertex);
      if (known === undefined) this.#tracked.set(digest, { step, counted: isCounted(vertex), state: "waiting" });
      steps.push(step);
    }
    this.#emit({ type: "plan", steps });
  }

  /** The step of a vertex, also for vertices that the graph did not name (a daemon may add some). */
  step(digest: string): Step | undefined {
    return this.#tracked.get(digest)?.step;
  }

  update(status: StatusUpdate): void {
    for (const vertex of status.vertexes) this.#vertex(vertex);
    for (const { vertex, id, name, current, total, completed } of status.statuses) {
      const step = this.step(vertex);
      if (step !== undefined) this.#emit({ type: "status", step, id, name, current, total, completed: completed !== undefined });
    }
    for (const { vertex, stream, data, time } of status.logs) {
      const step = this.step(vertex);
      if (step !== undefined) this.#emit({ type: "log", step, stream: stream === 1 ? 1 : 2, data, time });
    }
    for (const warning of status.warnings) {
      const at = this.step(warning.vertex)?.at ?? [];
      this.#emit({ type: "warning", message: warning.short, detail: warning.detail, at });
    }
  }

  #vertex(vertex: StatusUpdate["vertexes"][number]): void {
    const tracked = this.#tracked.get(vertex.digest) ?? this.#unplanned(vertex);
    const state = stateOf(vertex);
    if (state === "waiting" || (tracked.state === state && state !== "started")) return;
    // A later pass asks again for what an earlier one ran: that is no cache hit of this job.
    if (tracked.state === "done" && (state === "cached" || state === "started")) return;
    if (tracked.state === state) return;
    tracked.state = state;
    this.#emit({
      type: "step",
      step: tracked.step,
      state,
      ...(vertex.started === undefined ? {} : { started: vertex.started }),
      ...(vertex.completed === undefined ? {} : { completed: vertex.completed }),
      ...(vertex.error === "" ? {} : { error: vertex.error }),
    });
  }

  #unplanned(vertex: StatusUpdate["vertexes"][number]): Tracked {
    const tracked: Tracked = {
      step: { digest: vertex.digest, name: vertex.name, component: "", at: [] },
      counted: false,
      state: "waiting",
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

function toStep(digest: string, vertex: Vertex): Step {
  return { digest, name: vertex.meta.name, component: vertex.meta.component, at: vertex.meta.at };
}

function isCounted(vertex: Vertex): boolean {
  return vertex.kind !== "source" && vertex.meta.component !== "" && !startsFromNothing(vertex);
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
