// `build`: solves a Definition that an earlier op produced, inside the same build (pb.BuildOp).
import { emptyState } from "../graph/state.ts";
import { optional, required } from "./fields.ts";
import { given } from "./files.ts";
import { from } from "./from.ts";
import type { OpSpec } from "./spec.ts";
import { name } from "./types.ts";
import type { From, OpBase } from "./use.ts";

export interface BuildOp extends OpBase<"build"> {
  readonly from: From;
  /** The file in `from` that holds the pb.Definition; `buildkit.llb.definition` at its root when not given. */
  readonly filename?: string;
}

export const build: OpSpec<BuildOp> = {
  do: "build",
  fields: { from: required(from), filename: optional(name) },
  words: (op) => `build ${op.filename ?? "buildkit.llb.definition"}`,
  lower: (op, _state, context) => {
    const source = context.load(op.from);
    if (source.fs === null) {
      context.problem({
        code: "empty-source",
        message: "Op build has no Definition to solve: the filesystem that it comes from is empty",
        path: op.place.path,
        at: op.place.fields.get("from") ?? op.place.at,
        hint: "Write the Definition (as `dagger llb --format raw` prints one) to a file there",
      });
      return emptyState(context.platform);
    }
    const meta = context.meta(op, build.words(op));
    const vertex = { kind: "build", from: source.fs, ...given("filename", op.filename), platform: source.platform, meta } as const;
    return { ...emptyState(source.platform), fs: { vertex, index: 0 } };
  },
};
