// `local`: a directory of the client. It goes through a copy, so that the cache is by content and not by session.
import { emptyState } from "../graph/state.ts";
import { localAttrs } from "../llb/index.ts";
import { optional, required } from "./fields.ts";
import { copyContents, fileOutput } from "./files.ts";
import type { OpSpec } from "./spec.ts";
import { listOf, name, string } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface LocalOp extends OpBase<"local"> {
  /** Relative to the config's directory. */
  readonly dir: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly followPaths?: readonly string[];
}

export const local: OpSpec<LocalOp> = {
  do: "local",
  fields: {
    dir: required(name),
    include: optional(listOf(string)),
    exclude: optional(listOf(string)),
    followPaths: optional(listOf(string)),
  },
  words: (op) => `local ${op.dir}`,
  lower: (op, _state, context) => {
    const dir = context.directory(op.dir, op, "dir");
    if (dir === undefined) return emptyState(context.platform);
    const { name, unique } = context.local(dir, op.place.fields.get("dir") ?? op.place.at);
    const attrs = { ...localAttrs({ ...op, sharedKeyHint: name }), ...(unique === undefined ? {} : { "local.unique": unique }) };
    const meta = context.meta(op, local.words(op));
    const source = { vertex: { kind: "source", identifier: `local://${name}`, attrs, meta }, index: 0 } as const;
    const copied = { ...meta, name: `${meta.name} (copy)` };
    return { ...emptyState(context.platform), fs: fileOutput(null, [copyContents(source, "/", "/")], copied) };
  },
};
