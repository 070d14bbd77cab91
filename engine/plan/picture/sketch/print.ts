// Prints a sketch: text, dot and mermaid.
import { dotText, mermaidText } from "../../../../compiler/index.ts";
import type { LineKind } from "../drawing.ts";
import { isRound, type Sketch, type SketchBox } from "./sketch.ts";

export type SketchFormat = "text" | "dot" | "mermaid";

/** Ends with a newline. */
export function printSketch(sketch: Sketch, format: SketchFormat): string {
  switch (format) {
    case "dot":
      return toDot(sketch);
    case "mermaid":
      return toMermaid(sketch);
    case "text":
      return toText(sketch);
  }
}

function toText({ boxes, lines }: Sketch): string {
  if (boxes.length === 0) return "(nothing to do)\n";
  const titles = new Map(boxes.map(({ path, title }) => [path, title]));
  const printed = boxes.flatMap((box) => {
    const needs = lines
      .filter(({ to }) => to === box.path)
      .map(({ from, label }) => `${titles.get(from)}${label === "" ? "" : ` (${label})`}`);
    return [[box.title, ...(needs.length > 0 ? ["←", needs.join(", ")] : [])].join(" "), ...box.notes.map(({ text }) => `  ${text}`)];
  });
  return `${printed.join("\n")}\n`;
}

function wordsOf({ title, notes }: SketchBox): string {
  return [title, ...notes.map(({ text }) => text)].join("\n");
}

const dotStyles: Readonly<Record<LineKind, string>> = { value: "dashed", hook: "dotted", part: "dotted", link: "dashed" };

function toDot({ boxes, lines }: Sketch): string {
  const ids = new Map(boxes.map(({ path }, index) => [path, `c${index + 1}`]));
  return [
    "digraph dagger {",
    "  rankdir=LR;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...boxes.map((box) => {
      const shape = isRound(box) ? ", shape=ellipse" : "";
      return `  ${ids.get(box.path)} [label=${dotText(wordsOf(box))}${shape}${box.faint ? ', style="rounded,dashed"' : ""}];`;
    }),
    ...lines.map(({ from, to, kind, label }) => {
      const style = kind === undefined ? "" : `style=${dotStyles[kind]}, `;
      return `  ${ids.get(from)} -> ${ids.get(to)}${label === "" ? "" : ` [${style}label=${dotText(label)}]`};`;
    }),
    "}\n",
  ].join("\n");
}

function toMermaid({ boxes, lines }: Sketch): string {
  const ids = new Map(boxes.map(({ path }, index) => [path, `c${index + 1}`]));
  const printed = [
    "flowchart LR",
    ...boxes.map((box) => {
      const text = mermaidText(wordsOf(box));
      return `  ${ids.get(box.path)}${isRound(box) ? `([${text}])` : `[${text}]`}`;
    }),
    ...lines.map(({ from, to, kind, label }) => {
      return `  ${ids.get(from)} ${kind === undefined ? "-->" : "-.->"}${label === "" ? "" : `|${label}|`} ${ids.get(to)}`;
    }),
  ];
  const hooks = lines.flatMap(({ kind }, index) => (kind === "hook" ? [index] : []));
  if (hooks.length > 0) printed.push(`  linkStyle ${hooks.join(",")} stroke:#2f6feb,color:#2f6feb`);
  const waiting = boxes.filter(({ faint }) => faint).map(({ path }) => ids.get(path));
  if (waiting.length > 0) printed.push("  classDef waits stroke-dasharray: 5 5", `  class ${waiting.join(",")} waits`);
  return `${printed.join("\n")}\n`;
}
