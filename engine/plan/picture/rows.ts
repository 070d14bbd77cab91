// The rows of a picture of components: what each component is about, and what a run made of all its steps.
import type { RecordedStep } from "../record.ts";
import type { ComponentGraph } from "./components.ts";
import type { LineStyle } from "./drawing.ts";
import type { Group } from "./layout.ts";
import { notesOf } from "./print.ts";
import type { Marks } from "./svg.ts";

export interface ComponentRows {
  /** In the order of the boxes; lines between them are those between their first rows. */
  readonly groups: readonly Group[];
  /** By the numbers of the rows. */
  readonly marks: Marks;
  /** The first row of the component for the number of a step. */
  readonly rowOf: ReadonlyMap<number, number>;
}

/** `found`: what a run made of steps, by their numbers. */
export function rowsOf({ boxes, links }: ComponentGraph, found: ReadonlyMap<number, RecordedStep>): ComponentRows {
  const notes = boxes.map(notesOf);
  const firsts = new Map<string, number>();
  let next = 1;
  for (const [index, { path }] of boxes.entries()) {
    firsts.set(path, next);
    next += notes[index]?.length ?? 0;
  }
  const groups = boxes.map(({ path, title, state }, index) => {
    const first = firsts.get(path) ?? 0;
    const inputs = links.filter(({ to }) => to === path).flatMap(({ from }) => firsts.get(from) ?? []);
    const steps = (notes[index] ?? []).map(({ kind, text }, row) => ({
      id: first + row,
      kind,
      name: text,
      inputs: row === 0 ? inputs : [],
    }));
    return { path, title, faint: state !== "built", steps };
  });
  const rowOf = new Map(boxes.flatMap(({ path, steps }) => steps.map((id) => [id, firsts.get(path) ?? 0] as const)));
  const marks = boxes.flatMap(({ path, steps }) => {
    const mark = together(steps.flatMap((id) => found.get(id) ?? []));
    return mark === undefined ? [] : [[firsts.get(path) ?? 0, mark] as const];
  });
  return { groups, marks: new Map(marks), rowOf };
}

/** How the line from one component to another is drawn. */
export function linesOf({ links }: ComponentGraph): (from: string, to: string) => LineStyle {
  const known = new Map(links.map(({ from, to, kinds, implied }) => [`${from} ${to}`, { value: !kinds.includes("artifact"), implied }]));
  return (from, to) => known.get(`${from} ${to}`) ?? {};
}

const worst = ["error", "canceled", "started", "done", "cached"] as const;

/** The worst state counts, from the first start to the last end. */
function together(steps: readonly RecordedStep[]): Pick<RecordedStep, "state" | "started" | "completed"> | undefined {
  const state = worst.find((one) => steps.some((step) => step.state === one));
  if (state === undefined) return undefined;
  const started = steps.flatMap((step) => (step.state === "cached" ? [] : (step.started ?? [])));
  const completed = steps.flatMap((step) => (step.state === "cached" ? [] : (step.completed ?? [])));
  if (started.length === 0 || completed.length === 0) return { state };
  return { state, started: Math.min(...started), completed: Math.max(...completed) };
}
