// Draws a sketch in any format: text, dot, mermaid, SVG, or a page.
import { excerpts, showPlace } from "../excerpts.ts";
import { layOut } from "../layout.ts";
import { toPage } from "../page.ts";
import type { PageData, PageStep } from "../page-data.ts";
import { type Marks, toSvg } from "../svg.ts";
import { printSketch, type SketchFormat } from "./print.ts";
import { linesOf, rowsOf } from "./rows.ts";
import type { Sketch } from "./sketch.ts";

export interface SketchOptions {
  /** What the picture is of. */
  readonly title: string;
  /** Files of positions are relative to it. */
  readonly cwd: string;
  readonly level: Exclude<PageData["level"], undefined>;
  /** What a run made of the first rows of boxes. */
  readonly marks?: Marks;
  readonly run?: NonNullable<PageData["run"]>;
}

/** Ends with a newline. */
export async function drawSketch(sketch: Sketch, format: SketchFormat | "svg" | "html", options: SketchOptions): Promise<string> {
  if (format !== "svg" && format !== "html") return printSketch(sketch, format);
  const { title, cwd, level, run, marks = new Map() } = options;
  const groups = rowsOf(sketch);
  const drawing = await layOut(groups, { timed: run !== undefined, lineOf: linesOf(sketch) });
  if (format === "svg") return toSvg(drawing, title, marks);
  const excerpt = excerpts(cwd);
  const steps = groups.flatMap((group, index): PageStep[] => {
    const { at, about = "", title: component = "" } = sketch.boxes[index] ?? {};
    return group.steps.map((row) => ({ ...row, component, ...excerpt(at), fields: about }));
  });
  const boxes = sketch.boxes.map(({ path, title, sort, doc, at }, index) => ({
    ...{ path, title, sort, needs: sketch.lines.filter(({ to }) => to === path).map(({ from }) => from) },
    steps: groups[index]?.steps.map(({ id }) => id) ?? [],
    ...(doc === undefined ? {} : { doc }),
    ...(at === undefined ? {} : { at: showPlace(at) }),
  }));
  return toPage({ title, steps, boxes, level, ...(run === undefined ? {} : { run }) }, drawing, marks);
}
