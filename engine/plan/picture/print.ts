// Prints the graph of a job's components: text, JSON, dot and mermaid.
import type { GraphFormat } from "../../../compiler/index.ts";
import { dotText, mermaidText } from "../../../compiler/index.ts";
import type { ComponentBox, ComponentGraph, Link } from "./components.ts";
import { shorten, sizes } from "./drawing.ts";

/** As `dagger graph --level components` prints it; ends with a newline. */
export function printComponents(graph: ComponentGraph, format: GraphFormat): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(toData(graph), null, 2)}\n`;
    case "dot":
      return toDot(graph);
    case "mermaid":
      return toMermaid(graph);
    case "text":
      return toText(graph);
  }
}

/** A line of a box, and what it is about: steps, an effect, or why it does not run. */
export interface Note {
  readonly kind: string;
  readonly text: string;
}

/** What a box says below its name, one line each. */
export function notesOf({ path, state, trigger, effects, counted, only, kind }: ComponentBox): Note[] {
  const when =
    trigger === undefined ? [] : [{ kind: "trigger", text: `waits: ${trigger.kind === "schedule" ? trigger.schedule : trigger.kind}` }];
  const count =
    counted === 0 && only === undefined
      ? []
      : [{ kind, text: shorten(only?.replace("docker.io/library/", "") ?? `${counted} steps`, sizes.note) }];
  const later = state === "deferred" ? [{ kind: "deferred", text: "waits for values" }] : [];
  const gives = effects.map(({ kind, what }) => ({ kind, text: `${words[kind]} ${kind === "value" ? within(what, path) : what}`.trim() }));
  const notes = [...when, ...later, ...count, ...gives];
  return notes.length === 0 ? [{ kind: "steps", text: "only hands on" }] : notes;
}

/** The path of a value as it is called inside of its component. */
function within(what: string, path: string): string {
  if (what === path) return "its value";
  return what.startsWith(`${path}.`) ? what.slice(path.length + 1) : what;
}

const words = { value: "gives", save: "saves", archive: "saves", push: "pushes", always: "always", host: "" } as const;

function toData({ boxes, links }: ComponentGraph): object {
  const components = boxes.map((box) => ({
    ...box,
    needs: links.filter(({ to }) => to === box.path).map(({ from, kinds }) => ({ path: from, kinds })),
  }));
  return { components };
}

function toText({ boxes, links }: ComponentGraph): string {
  if (boxes.length === 0) return "(nothing to do)\n";
  const titles = new Map(boxes.map(({ path, title }) => [path, title]));
  const lines = boxes.flatMap((box) => {
    const needs = links.filter(({ to }) => to === box.path).map((link) => `${titles.get(link.from)}${labelOf(link, " (", ")")}`);
    return [[box.title, ...(needs.length > 0 ? ["←", needs.join(", ")] : [])].join(" "), ...notesOf(box).map(({ text }) => `  ${text}`)];
  });
  return `${lines.join("\n")}\n`;
}

/** Files are what components usually take: only other things are named. */
function labelOf({ kinds }: Link, before = "", after = ""): string {
  return kinds.length === 1 && kinds[0] === "artifact" ? "" : `${before}${kinds.join(", ")}${after}`;
}

function toDot({ boxes, links }: ComponentGraph): string {
  const ids = new Map(boxes.map(({ path }, index) => [path, `c${index + 1}`]));
  return [
    "digraph dagger {",
    "  rankdir=LR;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...boxes.map((box) => {
      const label = dotText([box.title, ...notesOf(box).map(({ text }) => text)].join("\n"));
      return `  ${ids.get(box.path)} [label=${label}${box.state === "built" ? "" : ', style="rounded,dashed"'}];`;
    }),
    ...links.map((link) => {
      const label = labelOf(link);
      const style = link.kinds.includes("artifact") ? "" : "style=dashed, ";
      return `  ${ids.get(link.from)} -> ${ids.get(link.to)}${label === "" ? "" : ` [${style}label=${dotText(label)}]`};`;
    }),
    "}\n",
  ].join("\n");
}

function toMermaid({ boxes, links }: ComponentGraph): string {
  const ids = new Map(boxes.map(({ path }, index) => [path, `c${index + 1}`]));
  const lines = [
    "flowchart LR",
    ...boxes.map((box) => `  ${ids.get(box.path)}[${mermaidText([box.title, ...notesOf(box).map(({ text }) => text)].join("\n"))}]`),
    ...links.map((link) => {
      const label = labelOf(link, "|", "|");
      return `  ${ids.get(link.from)} ${link.kinds.includes("artifact") ? "-->" : "-.->"}${label} ${ids.get(link.to)}`;
    }),
  ];
  const waiting = boxes.filter(({ state }) => state !== "built").map(({ path }) => ids.get(path));
  if (waiting.length > 0) lines.push("  classDef waits stroke-dasharray: 5 5", `  class ${waiting.join(",")} waits`);
  return `${lines.join("\n")}\n`;
}
