// Prints the graph of a pass: text, JSON, dot and mermaid. Steps are numbered in build order, so the output is stable.
import type { Position } from "../diagnostic.ts";
import type { Graph, Hook } from "../job.ts";
import { showComponent } from "../ops/program.ts";
import type { Output, Ref, Vertex } from "./vertex.ts";
import { buildOrder, inputsOf } from "./walk.ts";

export type GraphFormat = "text" | "json" | "dot" | "mermaid";

/** The graph as plain data. */
export interface GraphData {
  readonly components: readonly ComponentData[];
  readonly steps: readonly StepData[];
  /** Components that follow others; their steps are known when they run. Not there when there are none. */
  readonly hooks?: readonly HookData[];
  /** The step whose files come back; 0 when the job has nothing to do. */
  readonly result: number;
}
export interface ComponentData {
  readonly path: string;
  readonly at?: Position;
  readonly doc?: string;
  /** Paths of the components whose files or values it needs. */
  readonly needs: readonly string[];
  /** The step that makes its filesystem; 0 is the empty one. */
  readonly output: number;
}
export type HookData = Pick<Hook, "path" | "on" | "of">;

export interface StepData {
  /** From 1, in build order. */
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  /** "" for steps that belong to no component. */
  readonly component: string;
  readonly inputs: readonly number[];
  readonly at?: Position;
}

/** The graph as `dagger graph` prints it; the result ends with a newline. */
export function printGraph(graph: Graph, format: GraphFormat): string {
  const data = describeGraph(graph);
  switch (format) {
    case "json":
      return `${JSON.stringify(data, null, 2)}\n`;
    case "dot":
      return toDot(data);
    case "mermaid":
      return toMermaid(data);
    case "text":
      return toText(data);
  }
}

function describeGraph(graph: Graph): GraphData {
  return numberGraph(graph).data;
}

export interface NumberedGraph {
  readonly data: GraphData;
  /** The vertex of each step: step N is `vertices[N - 1]`. The last steps are images, which are no vertices. */
  readonly vertices: readonly Vertex[];
  /** Those that bring values and saved directories together: each lies on top of the one before, whatever component that is of. */
  readonly collecting: ReadonlySet<Vertex>;
}

/** The graph as plain data, with what it was made from. */
export function numberGraph(graph: Graph): NumberedGraph {
  const collecting = collectingOf(graph.terminal);
  const order = buildOrder([graph.terminal, ...graph.images.flatMap(({ platforms }) => platforms.map(({ fs }) => fs))]);
  const ids = new Map(order.map((vertex, i) => [vertex, i + 1]));
  const id = (output: Output | null): number => (output === null ? 0 : (ids.get(output.vertex) ?? 0));
  // The root component and the steps of no component both have the path "".
  const own = new Map(graph.components.map((component) => [component.path, component]));
  const needs = new Map([...own.keys()].map((path) => [path, new Set<string>()]));
  const vertices = order.map((vertex) => {
    const inputs = [...new Set(inputsOf(vertex).map(id))].sort((a, b) => a - b);
    for (const input of inputsOf(vertex)) {
      const from = input.vertex.meta.component;
      if (collecting.has(input.vertex)) continue;
      if (vertex.meta.component !== from && own.has(from)) needs.get(vertex.meta.component)?.add(from);
    }
    return {
      id: id({ vertex, index: 0 }),
      kind: vertex.kind,
      name: vertex.meta.name,
      component: vertex.meta.component,
      inputs,
      ...place(vertex.meta.at),
    };
  });
  const steps = [...vertices, ...imageSteps(graph, vertices.length, needs, id)];
  const components = graph.components.map((component) => ({
    path: component.path,
    ...place(component.at),
    ...(component.doc === "" ? {} : { doc: component.doc }),
    needs: [...(needs.get(component.path) ?? [])],
    output: id(component.output),
  }));
  const hooks = graph.hooks.map(({ path, on, of }) => ({ path, on, of }));
  const data = { components, steps, ...(hooks.length === 0 ? {} : { hooks }), result: id(graph.terminal) };
  return { data, vertices: order, collecting };
}

function collectingOf(terminal: Ref): ReadonlySet<Vertex> {
  const found = new Set<Vertex>();
  for (let at = terminal; at !== null; ) {
    found.add(at.vertex);
    at = at.vertex.kind === "file" ? at.vertex.base : null;
  }
  return found;
}

/** Images are no vertices, but what people want to see leave the job. */
function imageSteps(
  graph: Graph,
  last: number,
  needs: ReadonlyMap<string, Set<string>>,
  id: (output: Output | null) => number,
): StepData[] {
  return graph.images.map(({ target, name, component, platforms, at }, i) => {
    for (const { fs } of platforms) {
      const from = fs?.vertex.meta.component ?? component;
      if (from !== component && needs.has(from)) needs.get(component)?.add(from);
    }
    const inputs = [...new Set(platforms.map(({ fs }) => id(fs)))].sort((a, b) => a - b);
    return { id: last + 1 + i, kind: target.kind, name, component, inputs, ...place(at) };
  });
}

function place(at: readonly Position[]): { at?: Position } {
  return at[0] === undefined ? {} : { at: at[0] };
}

interface Group {
  readonly name: string;
  readonly needs: readonly string[];
  readonly steps: readonly StepData[];
}

/** Steps by component, in order of their first step; then those of no component. */
function groups(data: GraphData): Group[] {
  const byComponent = new Map<string, StepData[]>();
  for (const step of data.steps) byComponent.set(step.component, [...(byComponent.get(step.component) ?? []), step]);
  const known = new Map(data.components.map((component) => [component.path, component]));
  const all = [...byComponent].map(([path, steps]) => ({
    name: known.has(path) ? showComponent(path) : "",
    needs: (known.get(path)?.needs ?? []).map(showComponent),
    steps,
  }));
  return [...all.filter((group) => group.name !== ""), ...all.filter((group) => group.name === "")];
}

function toText(data: GraphData): string {
  const lines = groups(data).flatMap((group) => [
    group.name === "" ? "(dagger)" : [group.name, ...(group.needs.length > 0 ? ["←", group.needs.join(", ")] : [])].join(" "),
    ...group.steps.map((step) => {
      const inputs = step.inputs.length > 0 ? ` ← ${step.inputs.join(", ")}` : "";
      return `  ${step.id} ${step.name}${inputs}`;
    }),
  ]);
  for (const { path, on, of } of data.hooks ?? [])
    lines.push(`${showComponent(path)} ← on ${on}${of.length === 0 ? "" : ` of ${of.join(", ")}`}`);
  return lines.length === 0 ? "(nothing to do)\n" : `${lines.join("\n")}\n`;
}

function toDot(data: GraphData): string {
  const lines = ["digraph dagger {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];', '  fontname="sans-serif";'];
  for (const [n, group] of groups(data).entries()) {
    const nodes = group.steps.map((step) => `s${step.id} [label=${dotText(step.name)}];`);
    if (group.name === "") lines.push(...nodes.map((node) => `  ${node}`));
    else lines.push(`  subgraph cluster_${n} {`, `    label=${dotText(group.name)};`, ...nodes.map((node) => `    ${node}`), "  }");
  }
  for (const step of data.steps) for (const input of step.inputs) lines.push(`  s${input} -> s${step.id};`);
  for (const [n, { path, on }] of (data.hooks ?? []).entries()) {
    lines.push(`  h${n} [label=${dotText(showComponent(path))}, style=dashed];`);
    for (const [from, to] of hookEdges(data, n)) lines.push(`  ${from} -> ${to} [label=${dotText(`on ${on}`)}, style=dashed];`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

/** Between a hook and the last steps of what it is about, or that which ends the run; one before the run leads there. */
function hookEdges({ components, hooks = [], result }: GraphData, n: number): (readonly [from: string, to: string])[] {
  const { on, of = [] } = hooks[n] ?? {};
  const last = of.length === 0 ? [result] : components.filter(({ path }) => of.includes(path)).map(({ output }) => output);
  const steps = [...new Set(last)].filter((step) => step > 0);
  return steps.map((step) => (on === "start" ? [`h${n}`, `s${step}`] : [`s${step}`, `h${n}`]));
}

/** Text in Graphviz's language. */
export function dotText(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

function toMermaid(data: GraphData): string {
  const lines = ["flowchart LR"];
  for (const [n, group] of groups(data).entries()) {
    const nodes = group.steps.map((step) => `s${step.id}[${mermaidText(step.name)}]`);
    if (group.name === "") lines.push(...nodes.map((node) => `  ${node}`));
    else lines.push(`  subgraph c${n}[${mermaidText(group.name)}]`, ...nodes.map((node) => `    ${node}`), "  end");
  }
  for (const step of data.steps) for (const input of step.inputs) lines.push(`  s${input} --> s${step.id}`);
  for (const [n, { path, on }] of (data.hooks ?? []).entries()) {
    lines.push(`  h${n}([${mermaidText(showComponent(path))}])`);
    for (const [from, to] of hookEdges(data, n)) lines.push(`  ${from} -. ${mermaidText(`on ${on}`)} .-> ${to}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Mermaid has no escape character; it takes HTML-like codes. */
export function mermaidText(text: string): string {
  const codes: Readonly<Record<string, string>> = { "#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": "<br/>" };
  return `"${text.replace(/[#"<>\n]/g, (char) => codes[char] ?? char)}"`;
}
