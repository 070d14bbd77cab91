// The rows of a picture of boxes: what each is about, and what a run made of all the steps of a component.
import type { RecordedStep } from "../../record.ts";
import type { ComponentGraph } from "../components.ts";
import type { LineStyle } from "../drawing.ts";
import type { Group } from "../layout.ts";
import type { Marks } from "../svg.ts";
import { isRound, type Sketch } from "./sketch.ts";

/** In the order of the boxes; lines between them are those between their first rows. */
export function rowsOf({ boxes, lines }: Sketch): readonly Group[] {
  const firsts = firstRows({ boxes });
  return boxes.map((box) => {
    const { path, title, faint, notes } = box;
    const first = firsts.get(path) ?? 0;
    const inputs = lines.filter(({ to }) => to === path).flatMap(({ from }) => firsts.get(from) ?? []);
    const steps = notes.map(({ kind, text }, row) => ({ id: first + row, kind, name: text, inputs: row === 0 ? inputs : [] }));
    return { path, title, faint, round: isRound(box), steps };
  });
}

/** By the path of a box: the number of its first row, from 1. */
function firstRows({ boxes }: Pick<Sketch, "boxes">): ReadonlyMap<string, number> {
  const firsts = new Map<string, number>();
  let next = 1;
  for (const { path, notes } of boxes) {
    firsts.set(path, next);
    next += notes.length;
  }
  return firsts;
}

export interface MarkedRows {
  /** By the numbers of the rows. */
  readonly marks: Marks;
  /** The first row of the component for the number of a step. */
  readonly rowOf: ReadonlyMap<number, number>;
}

/** `found`: what a run made of steps, by their numbers. */
export function marksOf({ boxes }: ComponentGraph, sketch: Sketch, found: ReadonlyMap<number, RecordedStep>): MarkedRows {
  const firsts = firstRows(sketch);
  const rowOf = new Map(boxes.flatMap(({ path, steps }) => steps.map((id) => [id, firsts.get(path) ?? 0] as const)));
  const marks = boxes.flatMap(({ path, steps }) => {
    const mark = together(steps.flatMap((id) => found.get(id) ?? []));
    return mark === undefined ? [] : [[firsts.get(path) ?? 0, mark] as const];
  });
  return { marks: new Map(marks), rowOf };
}

/** How the line from one box to another is drawn. Those of values and parts say so by how they look. */
export function linesOf({ lines }: Sketch): (from: string, to: string) => LineStyle {
  const known = new Map(
    lines.map(({ from, to, kind, label, implied }): [string, LineStyle] => {
      const named = kind === "hook" || kind === "link" ? { label } : {};
      return [`${from} ${to}`, { ...(kind === undefined ? {} : { kind }), ...named, implied }];
    }),
  );
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
