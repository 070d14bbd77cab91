// Takes a Definition that somebody else made into a graph: each op becomes a vertex that keeps its bytes, and so its digest.
import type { OpMetadata, Source } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Position } from "../diagnostic.ts";
import type { Output, Ref, Vertex, VertexMeta } from "../graph/vertex.ts";
import { type DecodedOp, decodeDefinition } from "./definition.ts";
import { sourceCaps } from "./source.ts";
import { digestOf, encodeOp } from "./wire.ts";

const CUSTOM_NAME = "llb.customname";

export interface SpliceOptions {
  /** What every vertex carries; `name` is for ops without one of their own. */
  readonly meta: VertexMeta;
  /** Vertices that are in the graph already, by digest: they are used in place of the Definition's own. */
  readonly known?: ReadonlyMap<string, Vertex>;
  /** How a file of the Definition's source map is called for the user; undefined leaves its lines out. */
  readonly fileName?: (file: string) => string | undefined;
  /** What takes the place of a source of the Definition; undefined leaves it as it is. */
  readonly replace?: (source: ForeignSource, at: readonly Position[]) => ForeignSource | undefined;
}

export interface ForeignSource {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** The output that an encoded pb.Definition stands for; scratch when it is empty. Throws when the bytes are no Definition. */
export function spliceDefinition(encoded: Uint8Array, options: SpliceOptions): Ref {
  const { ops, source } = decodeDefinition(encoded);
  const vertices = new Map<string, Vertex>(options.known);
  const renamed = new Renamed();
  const outputOf = (input: { digest: string; index: bigint }): Output => {
    const vertex = vertices.get(input.digest);
    if (vertex === undefined) throw new Error(`the Definition names an op that it does not have: ${input.digest}`);
    return { vertex, index: Number(input.index) };
  };
  for (const decoded of ops.slice(0, -1)) {
    if (vertices.has(decoded.digest)) continue;
    const { digest, op, metadata } = decoded;
    const kind = op.op?.$case ?? "";
    const meta = toMeta(digest, metadata, source, options);
    const inputs = op.inputs.map(outputOf);
    const { bytes, caps } = renamed.apply(decoded, options.replace, meta.at);
    const workerFilters = op.constraints?.filter ?? [];
    vertices.set(digest, { kind: "raw", bytes, op: kind, inputs, caps, meta, workerFilters });
  }
  return terminalOf(ops.at(-1), outputOf);
}

/** Ops with another source than they came with, and all that is made of them: these have other bytes, and so other digests. */
class Renamed {
  /** The new digest by the old one. */
  readonly #digests = new Map<string, string>();

  apply(
    { digest, op, bytes, metadata }: DecodedOp,
    replace: SpliceOptions["replace"],
    at: readonly Position[],
  ): { readonly bytes: Uint8Array; readonly caps: readonly string[] } {
    const caps = Object.keys(metadata?.caps ?? {});
    const source = op.op?.$case === "source" ? op.op.value : undefined;
    const replaced = source === undefined ? undefined : replace?.(source, at);
    if (replaced === undefined && !op.inputs.some((input) => this.#digests.has(input.digest))) return { bytes, caps };
    const inputs = op.inputs.map((input) => ({ ...input, digest: this.#digests.get(input.digest) ?? input.digest }));
    const own: DecodedOp["op"]["op"] =
      replaced === undefined ? op.op : { $case: "source", value: { identifier: replaced.identifier, attrs: { ...replaced.attrs } } };
    const encoded = encodeOp({ ...op, inputs, op: own });
    this.#digests.set(digest, digestOf(encoded));
    return {
      bytes: encoded,
      caps: replaced === undefined ? caps : [...new Set([...caps, ...sourceCaps(replaced.identifier, replaced.attrs)])],
    };
  }
}

function terminalOf(last: DecodedOp | undefined, outputOf: (input: { digest: string; index: bigint }) => Output): Ref {
  if (last === undefined) return null;
  const [input] = last.op.inputs;
  if (input === undefined || last.op.op !== undefined || last.op.inputs.length > 1) throw new Error("the Definition has no result");
  return outputOf(input);
}

function toMeta(
  digest: string,
  metadata: OpMetadata | undefined,
  source: Source | undefined,
  { meta, fileName }: SpliceOptions,
): VertexMeta {
  const { [CUSTOM_NAME]: name = meta.name, ...description } = metadata?.description ?? {};
  const lines = fileName === undefined ? [] : linesOf(digest, source, fileName);
  return {
    ...meta,
    name,
    at: [...meta.at, ...lines],
    description,
    ...(metadata?.ignore_cache === true ? { ignoreCache: true } : {}),
    ...(metadata?.export_cache === undefined ? {} : { exportCache: metadata.export_cache.Value }),
    ...(metadata?.linux_resources === undefined ? {} : { resources: metadata.linux_resources }),
  };
}

function linesOf(digest: string, source: Source | undefined, fileName: (file: string) => string | undefined): Position[] {
  const locations = source?.locations[digest]?.locations ?? [];
  return locations.flatMap(({ sourceIndex, ranges }) => {
    const file = fileName(source?.infos[sourceIndex]?.filename ?? "");
    const line = ranges[0]?.start?.line ?? 0;
    return file === undefined || line < 1 ? [] : [{ file, line, column: 1 }];
  });
}
