// The graph of a workspace's sources and nodes, as a picture: which node takes and gives what, and what lies in what. Files tell it; nobody is asked.
import { basename } from "node:path";
import { displayName } from "../../runtime/cue/index.ts";
import { shorten, sizes } from "../plan/picture/drawing.ts";
import { drawSketch } from "../plan/picture/sketch/draw.ts";
import type { SketchFormat } from "../plan/picture/sketch/print.ts";
import { impliedLines, inOrder, type Note, type Sketch, type SketchBox, type SketchLine } from "../plan/picture/sketch/sketch.ts";
import type { Surroundings } from "../request.ts";
import { type Link, readLinks } from "../sources/links.ts";
import { readSources, type Source, sourceFile, unknownSource } from "../sources/source.ts";
import { readVersionName, shortId } from "../sources/versions.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import { givenBy } from "./graph.ts";
import { type Node, nodeFile, readNodes } from "./node.ts";

export type NetworkFormat = SketchFormat | "json" | "svg" | "html";

export interface NetworkRequest extends Pick<Surroundings, "cwd"> {
  /** A directory of the workspace. */
  readonly dir: string;
  readonly format: NetworkFormat;
}

/** Between a source and a node (`input`, `output`), or between two sources (`part`, `link`). */
interface Edge {
  /** Name of a source, or id of a node. */
  readonly from: string;
  readonly to: string;
  readonly kind: "input" | "output" | "part" | "link";
}

interface Network {
  readonly sources: readonly Source[];
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

/** Ends with a newline. Throws UserError (2) `no-workspace`, `bad-workspace-file`, `unknown-source`. */
export async function drawNetwork({ dir, cwd, format }: NetworkRequest): Promise<string> {
  const workspace = await openWorkspace(dir, cwd);
  const sources = await readSources(workspace, cwd);
  const nodes = await readNodes(workspace, cwd);
  const edges = [...edgesOf(sources, nodes), ...linked(await readLinks(workspace, cwd))];
  const names = sources.map(({ name }) => name);
  for (const { from, to, kind } of edges) {
    const missing = [kind === "output" ? "" : from, kind === "input" ? "" : to].find((name) => name !== "" && !names.includes(name));
    if (missing !== undefined) throw unknownSource(missing, names);
  }
  const network = { sources, nodes, edges };
  if (format === "json") return `${JSON.stringify(network, null, 2)}\n`;
  const fileOf = (box: Source | Node): string =>
    displayName("name" in box ? sourceFile(workspace, box.name) : nodeFile(workspace, box), cwd);
  return drawSketch(sketchOf(network, fileOf), format, { title: basename(workspace.root), cwd, level: "data" });
}

function edgesOf(sources: readonly Source[], nodes: readonly Node[]): Edge[] {
  const parts = sources.flatMap(({ name, parent }): Edge[] => (parent === undefined ? [] : [{ from: parent, to: name, kind: "part" }]));
  const between = nodes.flatMap((node): Edge[] => [
    ...node.inputs.map((from): Edge => ({ from, to: node.id, kind: "input" })),
    ...givenBy(node).map((to): Edge => ({ from: node.id, to, kind: "output" })),
  ]);
  return [...parts, ...between];
}

/** Links are between versions: of each two sources one is drawn. */
function linked(links: readonly Link[]): Edge[] {
  const pairs = links.map(({ from, to }) => [readVersionName(from).source, readVersionName(to).source] as const);
  const known = new Map(pairs.map(([from, to]): [string, Edge] => [`${from} ${to}`, { from, to, kind: "link" }]));
  return [...known.values()];
}

function sketchOf({ sources, nodes, edges }: Network, fileOf: (box: Source | Node) => string): Sketch {
  const ids = new Map(nodes.map(({ id }) => [id, `node:${id.slice(0, 12)}`]));
  const pathOf = (end: string): string => ids.get(end) ?? end;
  const lines = edges.map(({ from, to, kind }) => ({ from: pathOf(from), to: pathOf(to), kind }));
  const flow = lines.filter(({ kind }) => kind !== "link");
  const implied = impliedLines(flow);
  const taken = new Set(edges.filter(({ kind }) => kind !== "output").map(({ from }) => from));
  const given = new Set(edges.filter(({ kind }) => kind === "output").map(({ to }) => to));
  const whole = sources.map((source): SketchBox => {
    const { name, paused = false } = source;
    const kind = !given.has(name) ? "source" : taken.has(name) ? "file" : "push";
    return {
      path: name,
      title: name,
      sort: "source",
      notes: notesOfSource(source, kind),
      faint: paused,
      at: place(fileOf(source)),
      about: "",
    };
  });
  const computing = nodes.map((node): SketchBox => {
    const { id, command, script } = node;
    const about = script ?? command.join(" ");
    return { path: pathOf(id), title: titleOf(node), sort: "node", notes: notesOfNode(node), faint: false, at: place(fileOf(node)), about };
  });
  return {
    boxes: inOrder([...whole, ...computing], lines),
    lines: lines.map((line): SketchLine => {
      const { from, to, kind } = line;
      const marked = kind === "part" || kind === "link";
      return { from, to, label: marked ? kind : "", implied: implied.has(line), ...(marked ? { kind } : {}) };
    }),
  };
}

function place(file: string): { file: string; line: number; column: number } {
  return { file, line: 1, column: 1 };
}

/** What it is and where, which part of it, and which version counts. */
function notesOfSource({ kind, location, tag, path, pin, paused, parent, connector }: Source, color: string): Note[] {
  const where = location.replace(/^(https?|git|ssh):\/\//, "").replace(/\.git$/, "");
  const own = location.startsWith(".dagger/state/") ? kind : `${kind} ${where}${tag === undefined ? "" : `:${tag}`}`;
  const first = parent !== undefined && path !== undefined ? [] : [own];
  const more = [
    ...(path === undefined ? [] : [path]),
    ...(pin === undefined ? [] : [`pinned to ${shortId(pin)}`]),
    ...(paused === true ? ["paused"] : []),
    ...(connector === undefined ? [] : [`by ${connector}`]),
  ];
  return [...first, ...more].map((text) => ({ kind: color, text: shorten(text, sizes.longest) }));
}

/** A script by its name, a program with its first arguments. */
function titleOf({ command, script }: Node): string {
  return shorten(script === undefined ? command.join(" ") : (command[0] ?? ""), sizes.note);
}

function notesOfNode({ id, labels, image, platform }: Node): Note[] {
  const runs = `in ${image.replace("docker.io/library/", "")}${platform === undefined ? "" : ` on ${platform}`}`;
  const texts = [id.slice(0, 8), ...(labels.length === 0 ? [] : [`for ${labels.join(", ")}`]), runs];
  return texts.map((text) => ({ kind: "exec", text: shorten(text, sizes.longest) }));
}
