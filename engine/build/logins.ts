// Registry logins that a config brings along (`docker-login`). They are looked up when a registry asks for one, which may be before the
// graph is built: so they are read from the ops.
import type { Value } from "../../compiler/index.ts";
import { programsOf } from "./entitlements.ts";

/** Who logs in to one registry: the password is a secret's value. */
export interface Login {
  readonly username: string;
  /** Id of the secret. */
  readonly secret: string;
}

/** By registry host; of two for one host the first (the compiler refuses such configs). */
export function loginsOf(root: Value): Map<string, Login> {
  const logins = new Map<string, Login>();
  for (const { ops } of programsOf(root)) {
    for (const op of ops) if (op.do === "docker-login" && !logins.has(op.target)) logins.set(op.target, op);
  }
  return logins;
}
