// What a picture says before anything has a place: boxes with a few lines of text each, and the lines between them.
import type { Position } from "../../../../compiler/index.ts";
import type { LineKind } from "../drawing.ts";
import { groupBy } from "../group.ts";

export interface Sketch {
  /** Each after those that lead to it. */
  readonly boxes: readonly SketchBox[];
  readonly lines: readonly SketchLine[];
}

export interface SketchBox {
  /** What lines and pages call it; each another one. */
  readonly path: string;
  readonly title: string;
  /** What it is, in a word. */
  readonly sort: "component" | "hook" | "source" | "node";
  /** At least one. */
  readonly notes: readonly Note[];
  /** It does not run with the rest. */
  readonly faint: boolean;
  readonly doc?: string;
  readonly at?: Position;
  /** What a page tells of it when it is chosen. */
  readonly about: string;
}

/** A line of a box, and what it is about: steps, an effect, or why it does not run. */
export interface Note {
  readonly kind: string;
  readonly text: string;
}

export interface SketchLine {
  readonly from: string;
  readonly to: string;
  /** Without it, what lines usually are. */
  readonly kind?: LineKind;
  /** What goes along it, where that is not the usual; "" else. */
  readonly label: string;
  /** There is a longer way between the two, which says already that one comes after the other. */
  readonly implied: boolean;
}

/** Things that work on others, and do not lie anywhere themselves, have round boxes. */
export function isRound({ sort }: Pick<SketchBox, "sort">): boolean {
  return sort === "hook" || sort === "node";
}

interface Ends {
  readonly from: string;
  readonly to: string;
}

/** Those whose ends are connected by a longer way, too. */
export function impliedLines<Line extends Ends>(lines: readonly Line[]): ReadonlySet<Line> {
  const nexts = groupBy(lines, ({ from }) => from);
  const implied = new Set<Line>();
  for (const own of nexts.values()) {
    const beyond = new Set<string>();
    const open = own.flatMap(({ to }) => (nexts.get(to) ?? []).map((next) => next.to));
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (beyond.has(path)) continue;
      beyond.add(path);
      open.push(...(nexts.get(path) ?? []).map((next) => next.to));
    }
    for (const line of own) if (beyond.has(line.to)) implied.add(line);
  }
  return implied;
}

/** Each after those that lead to it, else as they were; what leads to each other stays as it was, too. */
export function inOrder<Box extends { readonly path: string }>(boxes: readonly Box[], lines: readonly Ends[]): Box[] {
  const byPath = new Map(boxes.map((box) => [box.path, box]));
  const needs = groupBy(lines, ({ to }) => to);
  const done = new Set<Box>();
  const entered = new Set<Box>();
  for (const box of boxes) {
    const stack = [box];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const open = entered.has(top) ? [] : (needs.get(top.path) ?? []).flatMap(({ from }) => byPath.get(from) ?? []);
      entered.add(top);
      const next = open.filter((one) => !entered.has(one));
      if (next.length > 0) stack.push(...next.reverse());
      else {
        done.add(top);
        stack.pop();
      }
    }
  }
  return [...done];
}
