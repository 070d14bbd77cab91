// `write-file`: a file with given content, or with a value that the job computes. Missing directories above it are made.
import type { Chown, FileAction } from "../graph/vertex.ts";
import { resolvePath } from "../llb/index.ts";
import { optional, required, standard } from "./fields.ts";
import { copyAction, fileOutput, given } from "./files.ts";
import { owner } from "./owner.ts";
import { parentPath } from "./path.ts";
import type { LowerContext, OpSpec } from "./spec.ts";
import { stamped, timestamp } from "./timestamp.ts";
import { content, mode, name } from "./types.ts";
import type { OpBase, Text } from "./use.ts";

export interface WriteFileOp extends OpBase<"write-file"> {
  readonly dest: string;
  readonly content: Text | Uint8Array;
  readonly mode: number;
  readonly owner?: Chown;
  /** Seconds since 1970. */
  readonly timestamp?: number;
}

export const writeFile: OpSpec<WriteFileOp> = {
  do: "write-file",
  fields: {
    dest: required(name),
    content: required(content),
    mode: standard(mode, 0o644),
    owner: optional(owner),
    timestamp: optional(timestamp),
  },
  words: (op) => `write-file ${op.dest}`,
  lower: (op, state, context) => {
    const dest = resolvePath(state.dir, op.dest);
    const parent = parentPath(dest);
    const above: FileAction[] = parent === "/" ? [] : [{ kind: "mkdir", path: parent, mode: 0o755, makeParents: true }];
    const fs = fileOutput(state.fs, [...above, write(op, dest, context)], context.meta(op, writeFile.words(op)));
    return { ...state, fs };
  },
  check: (op, field, context) => {
    if (!op.dest.endsWith("/")) return;
    context.problem({
      code: "wrong-type",
      message: `Field ${field.path}.dest takes the name of a file, got the directory "${op.dest}"`,
      path: `${field.path}.dest`,
      at: field.value.fields.get("dest")?.at ?? field.at,
      hint: "Remove the slash at the end, or add the file's name",
    });
  },
};

function write(op: WriteFileOp, dest: string, context: LowerContext): FileAction {
  const more = { ...given("chown", op.owner), ...stamped(op.timestamp) };
  if (typeof op.content === "object" && "kind" in op.content) {
    return copyAction(context.computed(op.content), "/value", dest, { mode: op.mode, ...more });
  }
  const data = typeof op.content === "string" ? new TextEncoder().encode(op.content) : op.content;
  return { kind: "mkfile", path: dest, mode: op.mode, data, ...more };
}
