// Graphs as JSON for the oracle: vertices in build order, references by position. Twin of graph.go.
import type { ExecVertex, Output, Ref, Vertex } from "../../compiler/graph/vertex.ts";
import { execOutputIndex, type MarshalOptions } from "../../compiler/llb/index.ts";

/** One graph to marshal. */
export interface Case {
  readonly title: string;
  readonly terminal: Ref;
  readonly options: MarshalOptions;
}

/** One line of the oracle's input. */
export function toLine({ terminal, options }: Case): string {
  const vertices: unknown[] = [];
  const positions = new Map<Vertex, number>();
  const add = (vertex: Vertex): number => {
    const known = positions.get(vertex);
    if (known !== undefined) return known;
    const json = replaceRefs(vertex, ref);
    positions.set(vertex, vertices.length);
    return vertices.push(json) - 1;
  };
  const ref = (output: Output) => ({ vertex: add(output.vertex), dest: destination(output) });
  const line = {
    terminal: terminal && ref(terminal),
    vertices,
    platform: options.platform,
    localUniqueId: options.localUniqueId,
    ...(options.caps ? { caps: [...options.caps] } : {}),
  };
  return `${JSON.stringify(line)}\n`;
}

/** Outputs of execs are named by mount destination, so that Go counts their index itself. */
function destination({ vertex, index }: Output): string {
  if (vertex.kind !== "exec") return "";
  const dest = writable(vertex).find((candidate) => execOutputIndex(vertex, candidate) === index);
  if (dest === undefined) throw new Error(`no output ${index}`);
  return dest;
}

function writable(vertex: ExecVertex): string[] {
  const binds = vertex.mounts.filter((mount) => mount.kind === "bind" && mount.output && !mount.readonly).map((mount) => mount.dest);
  return vertex.rootReadonly ? binds : ["/", ...binds];
}

/** Copies plain data: outputs become references, bytes base64 and bigints strings, as Go's JSON reads them. */
function replaceRefs(value: unknown, ref: (output: Output) => unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map((item) => replaceRefs(item, ref));
  if (typeof value !== "object" || value === null) return value;
  if (isOutput(value)) return ref(value);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, replaceRefs(field, ref)]));
}

function isOutput(value: object): value is Output {
  return "vertex" in value && "index" in value;
}
