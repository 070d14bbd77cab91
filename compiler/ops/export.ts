// `export`: a file becomes the value of the component, whose CUE constraints it must satisfy.
import { resolvePath } from "../llb/index.ts";
import { required, standard } from "./fields.ts";
import { copyAction, fileOutput } from "./files.ts";
import type { ExportFormat, OpSpec } from "./spec.ts";
import { name, oneOf } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface ExportOp extends OpBase<"export"> {
  readonly source: string;
  readonly format: ExportFormat;
}

export const exportOp: OpSpec<ExportOp> = {
  do: "export",
  fields: {
    source: required(name),
    format: standard(oneOf<ExportFormat>("string", "json", "yaml", "number", "boolean"), "string"),
  },
  words: (op) => `export ${op.source}`,
  // A vertex of its own, so that a file that is not there is blamed on this op's line, and users of the value depend on nothing else.
  lower: (op, state, context) => {
    const action = copyAction(state.fs, resolvePath(state.dir, op.source), "/value", { followSymlinks: true });
    context.exportValue(op, op.format, fileOutput(null, [action], context.meta(op, exportOp.words(op))));
    return state;
  },
};
