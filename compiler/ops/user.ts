// `user`: who runs later execs, as a Dockerfile's USER.
import { required } from "./fields.ts";
import type { OpSpec } from "./spec.ts";
import { string } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface UserOp extends OpBase<"user"> {
  /** A name or id, with `:group` if wanted; "" is the daemon's default: root. */
  readonly user: string;
}

export const user: OpSpec<UserOp> = {
  do: "user",
  fields: { user: required(string) },
  words: (op) => `user ${op.user}`,
  lower: (op, state) => ({ ...state, user: op.user }),
};
