// A Definition that was made elsewhere as a state: its ops keep their bytes, metadata, lines and platforms.
import {
  type Op,
  type OpMetadata,
  Definition as PbDefinition,
  type Source,
  type SourceInfo,
} from "../../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Output, Platform, SourceFile, SourceLocation, VertexMeta } from "../../graph/vertex.ts";
import { type DecodedDefinition, type DecodedOp, decodeDefinition } from "../definition.ts";
import { fromPbPlatform } from "../platform.ts";
import { invalid } from "./options.ts";
import { scratch } from "./sources.ts";
import { type State, stateOf } from "./state.ts";

/**
 * The state that an encoded pb.Definition stands for, e.g. `Definition.encoded` or what `buildctl debug dump-llb` reads. It inherits
 * nothing but the platform of its op. Throws UserError `llb-invalid` when the bytes are no Definition, or a part of it is missing.
 */
export function readDefinition(encoded: Uint8Array): State {
  const { ops, source } = decode(encoded);
  const last = ops.at(-1);
  if (last === undefined) return scratch();
  const [input] = last.op.inputs;
  if (input === undefined || last.op.op !== undefined) throw invalid("The Definition has no result: its last op is no terminal one");
  const reader = new Reader(ops, source);
  return stateOf(reader.output(input), reader.platform(input));
}

function decode(encoded: Uint8Array): DecodedDefinition {
  try {
    return decodeDefinition(encoded);
  } catch (cause) {
    throw invalid(`These bytes are no Definition: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

type Input = Op["inputs"][number];

class Reader {
  readonly #ops: ReadonlyMap<string, DecodedOp>;
  readonly #source: Source | undefined;
  readonly #files: readonly SourceFile[];
  /** By digest and index: client/llb has a vertex for each output that is used. */
  readonly #outputs = new Map<string, Output>();

  constructor(ops: readonly DecodedOp[], source: Source | undefined) {
    this.#ops = new Map(ops.map((op) => [op.digest, op]));
    this.#source = source;
    this.#files = (source?.infos ?? []).map(toFile);
  }

  platform({ digest }: Input): Platform | undefined {
    const platform = this.#op(digest).op.platform;
    return platform && fromPbPlatform(platform);
  }

  /** On a stack of our own: Definitions may be deep. */
  output(root: Input): Output {
    const stack = [{ input: root, next: 0 }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const { input } = frame;
      const op = this.#op(input.digest);
      const below = op.op.inputs[frame.next++];
      if (below === undefined) {
        this.#outputs.set(key(input), { vertex: this.#vertex(op), index: Number(input.index) });
        stack.pop();
      } else if (!this.#outputs.has(key(below))) {
        if (stack.length > this.#ops.size) throw invalid("The Definition has a circle");
        stack.push({ input: below, next: 0 });
      }
    }
    return this.#outputs.get(key(root))!;
  }

  #op(digest: string): DecodedOp {
    const op = this.#ops.get(digest);
    if (op === undefined) throw invalid(`The Definition names an op that it does not have: ${digest}`);
    if (op.op.op === undefined) throw invalid(`The Definition uses an op that does nothing: ${digest}`);
    return op;
  }

  #vertex({ digest, bytes, op, metadata }: DecodedOp): Output["vertex"] {
    const locations = this.#locations(digest);
    return {
      kind: "raw",
      bytes,
      op: op.op?.$case ?? "",
      inputs: op.inputs.map((input) => this.#outputs.get(key(input))!),
      caps: Object.keys(metadata?.caps ?? {}),
      meta: { ...toMeta(metadata), ...(locations.length === 0 ? {} : { locations }) },
    };
  }

  #locations(digest: string): SourceLocation[] {
    return (this.#source?.locations[digest]?.locations ?? []).map(({ sourceIndex, ranges }) => {
      const file = this.#files[sourceIndex];
      if (file === undefined) throw invalid(`The Definition's source map names file ${sourceIndex}, which it does not have`);
      const place = (at: { line: number; character: number } = { line: 0, character: 0 }) => ({ line: at.line, character: at.character });
      return { file, ranges: ranges.map(({ start, end }) => ({ start: place(start), end: place(end) })) };
    });
  }
}

function key({ digest, index }: Input): string {
  return `${digest}:${index}`;
}

function toFile({ filename, language, data, definition }: SourceInfo): SourceFile {
  return {
    filename,
    language,
    ...(data.length === 0 ? {} : { data }),
    ...(definition === undefined ? {} : { definition: PbDefinition.encode(definition).finish() }),
  };
}

function toMeta(metadata: OpMetadata | undefined): VertexMeta {
  const meta: VertexMeta = { name: "", component: "", at: [] };
  if (metadata === undefined) return meta;
  return {
    ...meta,
    description: metadata.description,
    ...(metadata.ignore_cache ? { ignoreCache: true } : {}),
    ...(metadata.export_cache === undefined ? {} : { exportCache: metadata.export_cache.Value }),
    ...(metadata.progress_group === undefined ? {} : { group: metadata.progress_group }),
    ...(metadata.linux_resources === undefined ? {} : { resources: metadata.linux_resources }),
  };
}
