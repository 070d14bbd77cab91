// One change of a workspace's files at a time, also when several processes make them; a process that dies holds up nobody.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../runtime/lock.ts";
import { notWritten } from "./json-file.ts";

/**
 * Runs `change` while no other process changes the workspace, whose directory `state` has the lock. Not reentrant. Throws UserError (3)
 * `workspace-not-written`.
 */
export async function changing<T>(workspace: { readonly state: string }, change: () => Promise<T>): Promise<T> {
  try {
    await mkdir(workspace.state, { recursive: true });
  } catch (cause) {
    throw notWritten(workspace.state, cause);
  }
  return withLock(join(workspace.state, "change.lock"), change);
}
