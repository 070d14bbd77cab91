// Definitions as bytes: reading them back, for printing and for tools that get one from elsewhere.
import { Op, type OpMetadata, Definition as PbDefinition, type Source } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { digestOf } from "./wire.ts";

/** One op of a Definition, decoded. The last one is the terminal op: only an input. */
export interface DecodedOp {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly op: Op;
  readonly metadata: OpMetadata | undefined;
}

export interface DecodedDefinition {
  readonly ops: readonly DecodedOp[];
  readonly source: Source | undefined;
}

/** Reads a pb.Definition; throws when the bytes are not one. Of scratch it has no ops. */
export function decodeDefinition(encoded: Uint8Array): DecodedDefinition {
  const { def, metadata, Source: source } = PbDefinition.decode(encoded);
  const ops = def.map((bytes) => {
    const digest = digestOf(bytes);
    return { digest, bytes, op: Op.decode(bytes), metadata: metadata[digest] };
  });
  return { ops, source };
}
