// `copy`: files of another filesystem into this one. Of a directory its contents are copied, as the first public dialect had it.
import type { Chown } from "../graph/vertex.ts";
import { resolveDest, resolvePath } from "../llb/index.ts";
import { optional, required, standard } from "./fields.ts";
import { copyContents, fileOutput, given } from "./files.ts";
import { from } from "./from.ts";
import { owner } from "./owner.ts";
import type { OpSpec } from "./spec.ts";
import { boolean, listOf, mode, name, string } from "./types.ts";
import type { From, OpBase } from "./use.ts";

export interface CopyOp extends OpBase<"copy"> {
  readonly from: From;
  /** Relative to the directory of `from`; may have wildcards. */
  readonly src: string;
  /** Relative to the current directory; with a trailing slash it is a directory. */
  readonly dest: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly owner?: Chown;
  readonly mode?: number;
  readonly followSymlinks: boolean;
  readonly attemptUnpack: boolean;
  readonly allowNotFound: boolean;
}

export const copy: OpSpec<CopyOp> = {
  do: "copy",
  fields: {
    from: required(from),
    src: standard(name, "/"),
    dest: standard(name, "/"),
    include: optional(listOf(string)),
    exclude: optional(listOf(string)),
    owner: optional(owner),
    mode: optional(mode),
    followSymlinks: standard(boolean, false),
    attemptUnpack: standard(boolean, false),
    allowNotFound: standard(boolean, false),
  },
  words: (op) => `copy ${op.src} → ${op.dest}`,
  lower: (op, state, context) => {
    const source = context.load(op.from);
    const src = resolvePath(source.dir, op.src);
    const action = copyContents(source.fs, op.allowNotFound ? asWildcard(src) : src, resolveDest(state.dir, op.dest), {
      allowWildcard: true,
      allowEmptyWildcard: op.allowNotFound,
      followSymlinks: op.followSymlinks,
      attemptUnpack: op.attemptUnpack,
      include: op.include ?? [],
      exclude: op.exclude ?? [],
      ...given("chown", op.owner),
      ...given("mode", op.mode),
    });
    return { ...state, fs: fileOutput(state.fs, [action], context.meta(op, copy.words(op))) };
  },
};

/** Only wildcards may match nothing on the daemon: a plain name becomes one that matches just itself. */
function asWildcard(path: string): string {
  if (path === "/" || /[*?[]/.test(path)) return path;
  const at = path.length - 1;
  return `${path.slice(0, at)}[${path.slice(at)}]`;
}
