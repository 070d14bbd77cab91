// `copy`: files of another filesystem into this one. Of a directory its contents are copied, as the first public dialect had it.
import type { Chown } from "../graph/vertex.ts";
import { resolveDest, resolvePath } from "../llb/index.ts";
import { optional, required, standard, wrongType } from "./fields.ts";
import { copyContents, fileOutput, given } from "./files.ts";
import { from } from "./from.ts";
import { owner } from "./owner.ts";
import type { FieldType, OpSpec } from "./spec.ts";
import { stamped, timestamp } from "./timestamp.ts";
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
  /** Permission bits, or a change of them as of chmod. */
  readonly mode?: number | string;
  /** Seconds since 1970. */
  readonly timestamp?: number;
  /** What lies at dest is replaced even when it is of another kind. */
  readonly replace: boolean;
  /** Paths in src that must be there. */
  readonly require?: readonly string[];
  readonly followSymlinks: boolean;
  readonly attemptUnpack: boolean;
  readonly allowNotFound: boolean;
}

/** Bits, or a change such as "u+x,go-w". */
const modeOrChange: FieldType<number | string> = {
  words: `permission bits such as 0o644, or a change such as "u+x"`,
  read: (field, context) => {
    if (field.value.kind !== "string") return mode.read(field, context);
    const text = String(field.value.scalar);
    return /^[ugoa]*[-+=][rwxXst]*(,[ugoa]*[-+=][rwxXst]*)*$/.test(text) ? text : wrongType(field, modeOrChange.words, context);
  },
};

export const copy: OpSpec<CopyOp> = {
  do: "copy",
  fields: {
    from: required(from),
    src: standard(name, "/"),
    dest: standard(name, "/"),
    include: optional(listOf(string)),
    exclude: optional(listOf(string)),
    owner: optional(owner),
    mode: optional(modeOrChange),
    timestamp: optional(timestamp),
    replace: standard(boolean, false),
    require: optional(listOf(name)),
    followSymlinks: standard(boolean, false),
    attemptUnpack: standard(boolean, false),
    allowNotFound: standard(boolean, false),
  },
  words: (op) => `copy ${op.src} → ${op.dest}`,
  check: (op, field, context) => {
    if (op.require === undefined || !/[*?[]/.test(op.src)) return;
    context.problem({
      code: "wrong-type",
      message: `Op copy requires paths in one directory, got the wildcard src ${JSON.stringify(op.src)}`,
      path: `${field.path}.require`,
      at: field.value.fields.get("require")?.at ?? field.at,
      hint: "Name the directory as src, and what to copy of it as include",
    });
  },
  lower: (op, state, context) => {
    const source = context.load(op.from);
    const src = resolvePath(source.dir, op.src);
    const action = copyContents(source.fs, op.allowNotFound ? asWildcard(src) : src, resolveDest(state.dir, op.dest), {
      allowWildcard: true,
      allowEmptyWildcard: op.allowNotFound,
      followSymlinks: op.followSymlinks,
      attemptUnpack: op.attemptUnpack,
      // The daemon looks at required paths only where it looks at patterns.
      include: op.include ?? (op.require === undefined || op.exclude !== undefined ? [] : ["**"]),
      exclude: op.exclude ?? [],
      ...given("chown", op.owner),
      ...(typeof op.mode === "string" ? { modeStr: op.mode } : given("mode", op.mode)),
      ...stamped(op.timestamp),
      alwaysReplaceExistingDestPaths: op.replace,
      requiredPaths: (op.require ?? []).map((path) => resolvePath(src, path)),
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
