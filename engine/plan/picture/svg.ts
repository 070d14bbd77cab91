// Draws a graph as SVG. The same drawing is a picture of its own and the middle of the page.

import type { RecordedStep } from "../record.ts";
import { type Drawing, type DrawnEdge, type DrawnGroup, type DrawnStep, sizes } from "./drawing.ts";
import { formatTime } from "./time.ts";

/** What a picture says of a run, by the number of the step. */
export type Marks = ReadonlyMap<number, Pick<RecordedStep, "state" | "started" | "completed">>;

/** Colours for light and dark. The page has the same ones, so that both look alike. */
export const palette = {
  light: {
    "--paper": "#f6f7f9",
    "--box": "#ffffff",
    "--edge": "#c9d0da",
    "--line": "#8a94a6",
    "--ink": "#1c2430",
    "--soft": "#5d6878",
    "--row": "#f1f3f6",
    "--accent": "#2f6feb",
    "--source": "#0e8a6d",
    "--exec": "#b25c00",
    "--file": "#3b6fd4",
    "--merge": "#8250c8",
    "--image": "#c2386e",
    "--host": "#857400",
    "--done": "#1f883d",
    "--cached": "#7a8699",
    "--error": "#cf222e",
  },
  dark: {
    "--paper": "#0f141b",
    "--box": "#171e28",
    "--edge": "#303b4a",
    "--line": "#6f7d90",
    "--ink": "#e6ebf2",
    "--soft": "#9aa7b8",
    "--row": "#1f2834",
    "--accent": "#6ea8ff",
    "--source": "#3fc9a4",
    "--exec": "#f0a04b",
    "--file": "#79a8ff",
    "--merge": "#b594f0",
    "--image": "#f07aa5",
    "--host": "#e8d44d",
    "--done": "#4cc26a",
    "--cached": "#8b98ab",
    "--error": "#ff6b6b",
  },
} as const;

/** How the drawing looks, whatever it lies in. */
export const drawingStyle = `
.box rect.frame { fill: var(--box); stroke: var(--edge); stroke-width: 1; }
.box text { font: 600 13px ui-sans-serif, system-ui, sans-serif; fill: var(--ink); }
.step rect.row { fill: var(--row); stroke: none; }
.step text { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; fill: var(--ink); }
.step text.time { font-size: 10.5px; fill: var(--soft); text-anchor: end; }
.step rect.kind { fill: var(--file); }
.step.source rect.kind { fill: var(--source); }
.step.exec rect.kind, .step.build rect.kind { fill: var(--exec); }
.step.merge rect.kind, .step.diff rect.kind, .step.passthrough rect.kind, .step.raw rect.kind { fill: var(--merge); }
.step.host rect.kind { fill: var(--host); }
.step.push rect.kind, .step.save rect.kind, .step.archive rect.kind { fill: var(--image); }
.step circle { fill: none; stroke: none; }
.step[data-state="done"] circle { fill: var(--done); }
.step[data-state="cached"] circle { stroke: var(--cached); stroke-width: 2; }
.step[data-state="error"] circle, .step[data-state="canceled"] circle { fill: var(--error); }
.step[data-state="started"] circle { fill: var(--accent); }
path.inner, path.outer { fill: none; stroke: var(--line); stroke-width: 1.2; }
path.outer { stroke-width: 1.6; }
path.outer.value { stroke-dasharray: 6 4; }
path.outer.part { stroke-dasharray: 2 4; }
path.outer.link { stroke-dasharray: 8 4; }
path.outer.hook { stroke: var(--accent); stroke-dasharray: 2 4; stroke-linecap: round; }
text.line { font: 11px ui-sans-serif, system-ui, sans-serif; fill: var(--soft); text-anchor: middle; }
text.line.hook { fill: var(--accent); }
path.outer.implied { stroke-width: 1; opacity: 0.45; }
.box.faint rect.frame { stroke-dasharray: 5 4; }
.step.steps rect.kind, .step.deferred rect.kind, .step.trigger rect.kind { fill: var(--cached); }
.step.value rect.kind { fill: var(--accent); }
`;

/** A picture that looks right wherever it is put, in light and dark. Ends with a newline. */
export function toSvg(drawing: Drawing, title: string, marks: Marks): string {
  const { width, height } = drawing;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>:root { ${variables("light")} } @media (prefers-color-scheme: dark) { :root { ${variables("dark")} } }${drawingStyle}</style>`,
    `<rect width="${width}" height="${height}" rx="8" style="fill: var(--paper)"/>`,
    drawMarks(),
    drawContent(drawing, marks),
    "</svg>\n",
  ].join("\n");
}

/** The variables of one theme as CSS declarations. */
export function variables(theme: keyof typeof palette): string {
  return Object.entries(palette[theme])
    .map(([name, colour]) => `${name}: ${colour};`)
    .join(" ");
}

/** Heads of arrows. */
export function drawMarks(): string {
  const head = (id: string, colour: string): string =>
    `<marker id="${id}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto"><path d="M0 0 L8 4 L0 8 z" style="fill: var(${colour})"/></marker>`;
  return `<defs>${head("head", "--line")}${head("head-hook", "--accent")}</defs>`;
}

/** Lines below boxes, boxes below their steps. */
export function drawContent({ groups, inner, outer }: Drawing, marks: Marks): string {
  const boxes = groups.map((group, index) => drawGroup(group, index, inner, marks));
  return [...outer.map((edge) => drawEdge(edge, "outer")), ...boxes].join("\n");
}

function drawGroup(group: DrawnGroup, index: number, inner: readonly DrawnEdge[], marks: Marks): string {
  const { x, y, width, height, title, path, faint, round, steps } = group;
  const own = new Set(steps.map(({ id }) => id));
  const heading = title.length > 40 ? `…${title.slice(-39)}` : title;
  return [
    `<g class="box${faint ? " faint" : ""}${round ? " round" : ""}" data-box="${index}" data-path="${escapeText(path)}">`,
    `<title>${escapeText(title)}</title>`,
    `<rect class="frame" x="${x}" y="${y}" width="${width}" height="${height}" rx="${round ? 20 : 8}"/>`,
    `<text x="${x + sizes.padding}" y="${y + 20}">${escapeText(heading)}</text>`,
    ...steps.map((step) => drawStep(step, marks)),
    ...inner.filter(({ to }) => own.has(to)).map((edge) => drawEdge(edge, "inner")),
    "</g>",
  ].join("\n");
}

function drawStep({ id, kind, label, name, x, y, width, height }: DrawnStep, marks: Marks): string {
  const mark = marks.get(id);
  const time =
    mark?.state === "done" && mark.started !== undefined && mark.completed !== undefined ? formatTime(mark.completed - mark.started) : "";
  const middle = y + height / 2;
  return [
    `<g class="step ${kind}" data-step="${id}"${mark === undefined ? "" : ` data-state="${mark.state}"`}>`,
    `<title>${escapeText(name)}</title>`,
    `<rect class="row" x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>`,
    `<rect class="kind" x="${x}" y="${y}" width="4" height="${height}" rx="2"/>`,
    `<text x="${x + 12}" y="${middle + 4}">${escapeText(label)}</text>`,
    ...(mark === undefined ? [] : [`<circle cx="${x + width - 10}" cy="${middle}" r="4"/>`]),
    ...(time === "" ? [] : [`<text class="time" x="${x + width - 18}" y="${middle + 4}">${time}</text>`]),
    "</g>",
  ].join("");
}

function drawEdge({ from, to, points, kind, label, labelAt, implied = false }: DrawnEdge, where: "inner" | "outer"): string {
  const [first, ...rest] = points.map(({ x, y }) => `${x} ${y}`);
  const head = where === "inner" ? "" : ` marker-end="url(#head${kind === "hook" ? "-hook" : ""})"`;
  const names = [where, ...(kind === undefined ? [] : [kind]), ...(implied ? ["implied"] : [])].join(" ");
  const line = `<path class="${names}" data-from="${from}" data-to="${to}" d="M${first ?? "0 0"} C${rest.join(" ")}"${head}/>`;
  if (label === undefined || labelAt === undefined) return line;
  return `${line}<text class="line ${kind ?? ""}" x="${labelAt.x}" y="${labelAt.y + 4}">${escapeText(label)}</text>`;
}

/** Text for XML, also inside of attributes. */
export function escapeText(text: string): string {
  const codes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // XML has no word for other control characters.
  return text.replace(/[&<>"]/g, (char) => codes[char] ?? char).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
}
