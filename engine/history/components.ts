// What becomes of each component of a run, put together from what its steps tell.
import type { UpEvent } from "../events.ts";
import type { Json, RunComponent } from "../store/index.ts";
import { componentOf } from "./ending.ts";

type State = Extract<UpEvent, { type: "step" }>["state"] | "waiting";

interface StepTimes {
  state: State;
  started?: number;
  completed?: number;
  error?: string;
}

export class ComponentBook {
  readonly #steps = new Map<string, Map<string, StepTimes>>();
  readonly #changed = new Set<string>();

  take(event: UpEvent): void {
    if (event.type === "plan") for (const step of event.steps) this.#step(step);
    if (event.type !== "step" || event.step.component === "") return;
    const step = this.#step(event.step);
    step.state = event.state;
    // An image goes on when its layers are needed: it began when it first did.
    if (event.started !== undefined) step.started ??= event.started;
    if (event.completed !== undefined) step.completed = event.completed;
    if (event.error !== undefined) step.error = event.error;
    this.#changed.add(event.step.component);
  }

  /** Those that changed since the last call. */
  changes(): RunComponent[] {
    const changed = [...this.#changed].map((path) => this.#component(path, "running"));
    this.#changed.clear();
    return changed;
  }

  /** All of them, with what they gave, when nothing runs any more. */
  final(outcome: "done" | "failed" | "cancelled", given: ReadonlyMap<string, Json> = new Map()): RunComponent[] {
    // What an op gave beside others of its component is an output, and no component.
    const paths = new Set([...this.#steps.keys(), ...[...given.keys()].map(componentOf)]);
    paths.delete("");
    return [...paths].map((path) => {
      const outputs = given.get(path);
      return { ...this.#component(path, outcome), ...(outputs === undefined ? {} : { outputs }) };
    });
  }

  #step({ digest, component }: { readonly digest: string; readonly component: string }): StepTimes {
    const steps = this.#steps.get(component) ?? new Map<string, StepTimes>();
    // Steps that dagger adds belong to nobody.
    if (component !== "") this.#steps.set(component, steps);
    const step = steps.get(digest) ?? { state: "waiting" };
    steps.set(digest, step);
    return step;
  }

  #component(path: string, outcome: "running" | "done" | "failed" | "cancelled"): RunComponent {
    const steps = [...(this.#steps.get(path)?.values() ?? [])];
    const error = steps.find((step) => step.error !== undefined)?.error;
    const starts = steps.flatMap(({ started = [] }) => started);
    const ends = steps.flatMap(({ completed = [] }) => completed);
    return {
      path,
      state: stateOf(steps, outcome),
      steps: steps.length,
      cached: steps.filter(({ state }) => state === "cached").length,
      ms: starts.length === 0 || ends.length === 0 ? 0 : Math.max(0, Math.max(...ends) - Math.min(...starts)),
      ...(error === undefined ? {} : { error }),
    };
  }
}

function stateOf(steps: readonly StepTimes[], outcome: "running" | "done" | "failed" | "cancelled"): RunComponent["state"] {
  const has = (state: State): boolean => steps.some((step) => step.state === state);
  if (has("error")) return "failed";
  if (has("canceled")) return "cancelled";
  const over = steps.every(({ state }) => state === "done" || state === "cached");
  // Sources and what starts from nothing are done anew each time, which takes no time.
  const busy = steps.reduce((sum, { state, started = 0, completed = 0 }) => sum + (state === "done" ? completed - started : 0), 0);
  if (over) return has("cached") && busy < 1 ? "cached" : "done";
  if (outcome === "running") return has("started") ? "running" : "waiting";
  // A step that the daemon never needed to look at is part of what came from the cache.
  if (outcome === "done") return has("cached") || !has("done") ? "cached" : "done";
  return has("started") ? "cancelled" : "skipped";
}
