// What components of later passes waited for: values that CUE had to know before they were there.
import { isWithin, type Job } from "../../compiler/index.ts";

export class Waits {
  /** Components that were there before anything had to be waited for. */
  readonly #early = new Set<string>();
  /** What waited, a component or a struct that may come to hold some, and the paths of the values. */
  readonly #waiting = new Map<string, ReadonlySet<string>>();

  /** Takes the job of each pass, in order. */
  note({ deferred, graph }: Pick<Job, "deferred" | "graph">): void {
    if (deferred.length === 0) return;
    for (const { path } of graph.components) this.#early.add(path);
    for (const { path, missing } of deferred) {
      this.#waiting.set(path, new Set([...(this.#waiting.get(path) ?? []), ...missing.map((one) => one.path)]));
    }
  }

  /** CUE paths of the values that a component waited for. */
  of(component: string): readonly string[] {
    if (this.#early.has(component)) return [];
    const found = [...this.#waiting].flatMap(([path, values]) => (isWithin(component, path) ? [...values] : []));
    return [...new Set(found)];
  }
}
