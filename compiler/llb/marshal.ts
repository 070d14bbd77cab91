// Graph → Definition: walks the vertices from the leaves up, encodes each once, and puts the terminal op on top.
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { type Op, type OpMetadata, Definition as PbDefinition } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { UserError } from "../diagnostic.ts";
import type { Ref, Vertex } from "../graph/vertex.ts";
import type { Definition } from "../job.ts";
import { buildop } from "./buildop.ts";
import type { Context, Encoding, MarshalOptions, OpCodec } from "./codec.ts";
import { toInput, vertexError } from "./codec.ts";
import { diff } from "./diff.ts";
import { exec } from "./exec.ts";
import { file } from "./file.ts";
import { host } from "./host.ts";
import { merge } from "./merge.ts";
import { mergeMetadata, terminalMetadata, toMetadata } from "./metadata.ts";
import { passthrough } from "./passthrough.ts";
import { toPbPlatform } from "./platform.ts";
import { raw } from "./raw.ts";
import { source } from "./source.ts";
import { SourceMap } from "./sourcemap.ts";
import { digestOf, encodeOp, toBuffer } from "./wire.ts";

const CODECS: { readonly [K in Vertex["kind"]]: OpCodec<Extract<Vertex, { kind: K }>> } = {
  source,
  host,
  exec,
  file,
  merge,
  diff,
  build: buildop,
  passthrough,
  raw,
};

/**
 * The Definition of everything that `terminal` needs; empty for scratch, which a daemon cannot solve. Byte for byte what client/llb
 * writes for each op, in its order. A vertex object is encoded once however often it is used, and vertices with equal bytes become one op.
 * Throws UserError `llb-invalid` for a vertex that no op can say.
 */
export function marshal(terminal: Ref, options: MarshalOptions): Definition {
  const ops = new OpList(options);
  if (terminal === null) return { ops: [], nodes: [], encoded: new Uint8Array() };
  for (const vertex of postOrder(terminal.vertex)) ops.add(vertex);
  return ops.finish(terminal);
}

/** Every vertex once, after all its inputs. On a stack of our own: a chain of 100,000 vertices does not fit on JavaScript's. */
function* postOrder(root: Vertex): Generator<Vertex> {
  const seen = new Set<Vertex>([root]);
  const stack = [{ vertex: root, inputs: codec(root).inputs(root), next: 0 }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (frame.next === frame.inputs.length) {
      yield frame.vertex;
      stack.pop();
      continue;
    }
    const vertex = frame.inputs[frame.next++]?.vertex;
    if (vertex === undefined || seen.has(vertex)) continue;
    seen.add(vertex);
    stack.push({ vertex, inputs: codec(vertex).inputs(vertex), next: 0 });
  }
}

/** Ops by digest, in order of first appearance. */
class OpList implements Context {
  readonly options: MarshalOptions;
  readonly #digests = new Map<Vertex, string>();
  readonly #ops: Buffer[] = [];
  readonly #nodes = new Map<string, { vertices: Vertex[]; inputs: readonly string[]; metadata: OpMetadata }>();
  readonly #sourceMap = new SourceMap();
  readonly #writer = new BinaryWriter();

  constructor(options: MarshalOptions) {
    this.options = options;
  }

  digest(vertex: Vertex): string {
    return this.#digests.get(vertex)!;
  }

  add(vertex: Vertex): void {
    const { bytes, caps } = this.#encode(vertex);
    const digest = digestOf(bytes);
    const metadata = this.#metadata(vertex, caps);
    const known = this.#nodes.get(digest);
    this.#digests.set(vertex, digest);
    this.#sourceMap.add(digest, vertex.meta);
    if (known === undefined) {
      this.#ops.push(bytes);
      const inputs = codec(vertex)
        .inputs(vertex)
        .flatMap((input) => (input === null ? [] : [this.digest(input.vertex)]));
      this.#nodes.set(digest, { vertices: [vertex], inputs, metadata });
    } else {
      known.vertices.push(vertex);
      known.metadata = mergeMetadata(known.metadata, metadata);
    }
  }

  finish(terminal: NonNullable<Ref>): Definition {
    if (this.options.ignoreCacheDownstream === true) this.#spreadIgnoreCache();
    const bytes = encodeOp({ inputs: [toInput(terminal, this)], op: undefined, platform: undefined, constraints: undefined });
    const digest = digestOf(bytes);
    const metadata: Record<string, OpMetadata> = {};
    for (const [key, node] of this.#nodes) metadata[key] = node.metadata;
    metadata[digest] = terminalMetadata(Object.values(metadata));
    const ops = [...this.#ops, bytes];
    const nodes = [...this.#nodes].map(([key, { vertices }]) => ({ digest: key, vertex: vertices.at(-1)!, vertices }));
    return {
      ops,
      nodes: [...nodes, { digest, vertices: [] }],
      encoded: PbDefinition.encode({ def: ops, metadata, Source: this.#sourceMap.toSource() }).finish(),
    };
  }

  /** Inputs come first in the list, so one walk reaches everything. */
  #spreadIgnoreCache(): void {
    for (const node of this.#nodes.values()) {
      const stale = node.inputs.some((digest) => this.#nodes.get(digest)?.metadata.ignore_cache === true);
      if (stale) node.metadata = { ...node.metadata, ignore_cache: true };
    }
  }

  #metadata(vertex: Vertex, caps: readonly string[]): OpMetadata {
    const metadata = toMetadata(vertex.meta, caps);
    const { defaults } = this.options;
    if (defaults === undefined || vertex.kind === "raw") return metadata;
    return mergeMetadata(toMetadata({ name: "", component: "", at: [], ...defaults }, []), metadata);
  }

  #encode(vertex: Vertex): { bytes: Buffer; caps: readonly string[] } {
    const problem = codec(vertex).validate(vertex);
    if (problem !== undefined) throw vertexError(vertex, problem);
    try {
      const encoding = codec(vertex).encode(vertex, this);
      const bytes = encoding.bytes === undefined ? encodeOp(toOp(vertex, encoding, this.options), this.#writer) : toBuffer(encoding.bytes);
      return { bytes, caps: encoding.caps };
    } catch (cause) {
      // The encoder refuses numbers that do not fit their field.
      if (cause instanceof UserError) throw cause;
      const { exit, diagnostics } = vertexError(vertex, cause instanceof Error ? cause.message : String(cause));
      throw new UserError(exit, diagnostics, { cause });
    }
  }
}

/** Constraints are there even when empty. */
function toOp({ workerFilters = [] }: Vertex, { op, inputs, platform }: Encoding, { defaults }: MarshalOptions): Op {
  const filter = [...(defaults?.workerFilters ?? []), ...workerFilters];
  return { inputs, op, platform: platform && toPbPlatform(platform), constraints: { filter } };
}

/** The codec of a vertex's kind takes this vertex: the table's type says so, which TypeScript cannot follow through an index. */
function codec(vertex: Vertex): OpCodec<Vertex> {
  return CODECS[vertex.kind];
}
