// Gives every step and component of a graph its place: steps stand below each other in the box of their component, and boxes where Graphviz says.
import type { GraphData, StepData } from "../../../compiler/index.ts";
import {
  type Drawing,
  type DrawnEdge,
  type DrawnGroup,
  type DrawnStep,
  type LineStyle,
  type Point,
  type Rectangle,
  shorten,
  sizes,
} from "./drawing.ts";
import { place } from "./graphviz.ts";

/** One component with its rows. */
export interface Group {
  readonly path: string;
  readonly title: string;
  /** It does not run with the rest. */
  readonly faint?: boolean;
  /** It works on others. */
  readonly round?: boolean;
  readonly steps: readonly Row[];
}

export type Row = Pick<StepData, "id" | "kind" | "name" | "inputs">;

export interface LayoutOptions {
  /** There are times to show in the rows. */
  readonly timed: boolean;
  /** How the line from one component (its path) to another is drawn. */
  readonly lineOf?: (from: string, to: string) => LineStyle;
}

/** A box without a place: its own corner is at 0, 0. */
interface Box {
  readonly width: number;
  readonly height: number;
  readonly steps: readonly DrawnStep[];
}

/** Beyond this many rows a box goes on in a further column. */
const rowsPerColumn = 40;

/** Gives groups their places, and the lines between their rows. */
export async function layOut(groups: readonly Group[], { timed, lineOf = () => ({}) }: LayoutOptions): Promise<Drawing> {
  const boxes = groups.map((group) => toBox(group, timed));
  const groupOf = new Map(groups.flatMap(({ steps }, index) => steps.map(({ id }) => [id, index])));
  const between = outerEdges(groups, groupOf);
  const weighed = between.map(([from, to]) => {
    const { implied = false, label } = lineOf(groups[from]?.path ?? "", groups[to]?.path ?? "");
    return { from, to, weight: implied ? 0 : 1, ...(label === undefined ? {} : { label }) };
  });
  const { places, lines, width, height } = await place(boxes, weighed);
  const drawn = groups.map(({ path, title, faint = false, round = false }, index) => {
    const { x, y } = places[index] as Point;
    const { steps, ...size } = boxes[index] as Box;
    return { path, title, faint, round, x, y, ...size, steps: steps.map((step) => ({ ...step, x: step.x + x, y: step.y + y })) };
  });
  const outer = lines.map((line) => ({ ...line, ...lineOf(groups[line.from]?.path ?? "", groups[line.to]?.path ?? "") }));
  return { width, height, groups: drawn, inner: innerEdges(groups, drawn, groupOf), outer };
}

/** The steps of each component. Those that collect results are left out: they would have lines to everything. */
export function stepGroups(data: GraphData): Group[] {
  const own = new Set(data.components.map(({ path }) => path));
  const groups = new Map<string, StepData[]>();
  for (const step of data.steps) {
    if (step.component === "" && step.name.startsWith("collect ")) continue;
    groups.set(step.component, [...(groups.get(step.component) ?? []), step]);
  }
  const title = (path: string): string => (path !== "" ? path : own.has("") ? "(root)" : "(dagger)");
  return [...groups].map(([path, steps]) => ({ path, title: title(path), steps }));
}

/** Steps in build order, one per row. */
function toBox({ title, steps }: Group, timed: boolean): Box {
  const labels = steps.map(({ name }) => shorten(name, sizes.longest));
  const longest = Math.max(14, ...labels.map((label) => [...label].length));
  // The bar at the left, and the time and the dot at the right.
  const row = Math.ceil(longest * sizes.character) + (timed ? 92 : 22);
  const columns = Math.ceil(steps.length / rowsPerColumn);
  const rows = Math.ceil(steps.length / columns);
  const wide = columns * row + (columns - 1) * sizes.padding * 2;
  const heading = Math.min([...title].length, 40) * (sizes.character + 0.8) + 8;
  return {
    width: Math.max(wide, heading) + 2 * sizes.padding,
    height: sizes.title + rows * sizes.row + sizes.padding,
    steps: steps.map(({ id, kind, name }, index) => ({
      id,
      kind,
      name,
      label: labels[index] ?? "",
      x: sizes.padding + Math.floor(index / rows) * (row + sizes.padding * 2),
      y: sizes.title + (index % rows) * sizes.row,
      width: columns === 1 ? Math.max(wide, heading) : row,
      height: sizes.row - 4,
    })),
  };
}

/** Each pair of components once, by their indexes. */
function outerEdges(groups: readonly Group[], groupOf: ReadonlyMap<number, number>): [from: number, to: number][] {
  const pairs = new Map<string, [number, number]>();
  for (const [to, { steps }] of groups.entries()) {
    for (const input of steps.flatMap(({ inputs }) => inputs)) {
      const from = groupOf.get(input);
      if (from !== undefined && from !== to) pairs.set(`${from} ${to}`, [from, to]);
    }
  }
  return [...pairs.values()];
}

/** Down from row to row, and beside the rows to those further down or in another column. */
function innerEdges(groups: readonly Group[], drawn: readonly DrawnGroup[], groupOf: ReadonlyMap<number, number>): DrawnEdge[] {
  const places = new Map(drawn.flatMap(({ steps }) => steps.map((step) => [step.id, step])));
  return groups.flatMap(({ steps }, index) =>
    steps.flatMap(({ id, inputs }) =>
      inputs
        .filter((input) => groupOf.get(input) === index)
        .map((input) => ({ from: input, to: id, points: innerLine(places.get(input) as DrawnStep, places.get(id) as DrawnStep) })),
    ),
  );
}

function innerLine(from: Rectangle, to: Rectangle): Point[] {
  const [x, tall] = [from.x + 14, from.height];
  if (from.x !== to.x) {
    const [start, end] = [
      { x: from.x + from.width, y: from.y + tall / 2 },
      { x: to.x, y: to.y + tall / 2 },
    ];
    const middle = (start.x + end.x) / 2;
    return [start, { x: middle, y: start.y }, { x: middle, y: end.y }, end];
  }
  const [down, up] = [from.y + tall, to.y];
  if (up - down < sizes.row)
    return [
      { x, y: down },
      { x, y: down + 1 },
      { x, y: up - 1 },
      { x, y: up },
    ];
  const aside = from.x - Math.min(10, 4 + (up - down) / 60);
  const [y, end] = [from.y + tall / 2, to.y + tall / 2];
  return [
    { x: from.x, y },
    { x: aside, y },
    { x: aside, y: end },
    { x: to.x, y: end },
  ];
}
