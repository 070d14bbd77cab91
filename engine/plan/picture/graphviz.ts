// Asks Graphviz where boxes and the lines between them lie.
import { type DrawnEdge, type Point, sizes } from "./drawing.ts";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A line between boxes, by their indexes, and how much it counts for how near they are. */
interface Weighed {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
  readonly label?: string;
}

interface Placed extends Size {
  readonly places: readonly Point[];
  readonly lines: readonly DrawnEdge[];
}

/** Boxes beyond this number are placed with less patience. */
const many = 300;

/** A picture that is wider than this is shown so small that nobody reads it. */
const widest = 1500;

/** Beyond this number of boxes people zoom anyway. */
const few = 60;

/** From left to right; from the top down where that is too wide. */
export async function place(boxes: readonly Size[], between: readonly Weighed[]): Promise<Placed> {
  // A megabyte, which only who draws needs.
  const { instance } = await import("@viz-js/viz");
  const viz = await instance();
  const ask = (rankdir: "LR" | "TB"): Placed => {
    const hasty = boxes.length > many ? { nslimit: 2, nslimit1: 2, mclimit: 0.5, splines: "line" } : {};
    const answer = viz.renderJSON(
      {
        directed: true,
        graphAttributes: { rankdir, nodesep: 0.35, ranksep: rankdir === "LR" ? 0.9 : 0.6, ...hasty },
        nodeAttributes: { shape: "box", fixedsize: true, label: "" },
        // Of the fonts whose widths Graphviz knows none has wider letters than those of labels.
        edgeAttributes: { arrowhead: "none", fontname: "Helvetica", fontsize: 12 },
        nodes: boxes.map(({ width, height }, index) => ({ name: String(index), attributes: { width: width / 72, height: height / 72 } })),
        edges: between.map(({ from, to, ...attributes }) => ({ tail: String(from), head: String(to), attributes })),
      },
      { yInvert: true },
    );
    return read(answer as Answer, boxes);
  };
  const across = ask("LR");
  if (across.width <= widest || boxes.length > few) return across;
  const down = ask("TB");
  return down.width < across.width ? down : across;
}

/** What Graphviz says, in points: those are our pixels. */
interface Answer {
  readonly bb: string;
  readonly objects?: readonly { readonly name: string; readonly pos: string }[];
  readonly edges?: readonly { readonly tail: number; readonly head: number; readonly pos?: string; readonly lp?: string }[];
}

function read(answer: Answer, boxes: readonly Size[]): Placed {
  const names = answer.objects?.map(({ name }) => Number(name)) ?? [];
  const places: Point[] = boxes.map(() => ({ x: sizes.margin, y: sizes.margin }));
  for (const [index, { pos }] of (answer.objects ?? []).entries()) {
    const at = names[index] ?? 0;
    const [x = 0, y = 0] = pos.split(",").map(Number);
    const { width, height } = boxes[at] as Size;
    places[at] = { x: round(x - width / 2 + sizes.margin), y: round(y - height / 2 + sizes.margin) };
  }
  const lines = (answer.edges ?? []).map(({ tail, head, pos = "", lp = "" }) => {
    const [labelAt] = toPoints(lp);
    return { from: names[tail] ?? 0, to: names[head] ?? 0, points: toPoints(pos), ...(labelAt === undefined ? {} : { labelAt }) };
  });
  const [left = 0, top = 0, right = 0, bottom = 0] = answer.bb.split(",").map(Number);
  return {
    places,
    lines,
    width: Math.ceil(Math.abs(right - left)) + 2 * sizes.margin,
    height: Math.ceil(Math.abs(bottom - top)) + 2 * sizes.margin,
  };
}

/** Corners of a B-spline: one more than a multiple of three. */
function toPoints(pos: string): Point[] {
  return pos
    .split(" ")
    .filter((part) => /^-?[\d.]/.test(part))
    .map((part) => {
      const [x = 0, y = 0] = part.split(",").map(Number);
      return { x: round(x + sizes.margin), y: round(y + sizes.margin) };
    });
}

/** Less than a pixel is not seen, and makes the picture larger. */
function round(length: number): number {
  return Math.round(length * 10) / 10;
}
