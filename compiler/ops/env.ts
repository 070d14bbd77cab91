// `env`: variables of all later execs.
import { addEnv } from "../graph/state.ts";
import { required } from "./fields.ts";
import type { OpSpec } from "./spec.ts";
import type { OpBase, Text } from "./use.ts";
import { variables } from "./variables.ts";

export interface EnvOp extends OpBase<"env"> {
  readonly env: readonly (readonly [name: string, value: Text])[];
}

export const env: OpSpec<EnvOp> = {
  do: "env",
  fields: { env: required(variables) },
  words: (op) => `env ${op.env.map(([name]) => name).join(" ")}`,
  lower: (op, state) => ({ ...state, env: addEnv(state.env, op.env) }),
};
