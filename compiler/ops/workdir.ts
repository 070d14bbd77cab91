// `workdir`: the directory where later ops start, as a Dockerfile's WORKDIR.
import { resolvePath } from "../llb/index.ts";
import { required } from "./fields.ts";
import type { OpSpec } from "./spec.ts";
import { name } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface WorkdirOp extends OpBase<"workdir"> {
  readonly path: string;
}

export const workdir: OpSpec<WorkdirOp> = {
  do: "workdir",
  fields: { path: required(name) },
  words: (op) => `workdir ${op.path}`,
  lower: (op, state) => ({ ...state, dir: resolvePath(state.dir, op.path) }),
};
