// A store that was damaged: its newest backup takes its place.
import { inputError } from "../../compiler/index.ts";
import { type Restored, restoreStore } from "../store/index.ts";
import { findWorkspace } from "../workspace/find.ts";
import { openWorkspace } from "../workspace/workspace.ts";
import type { HistoryRequest } from "./open.ts";
import { storeOf } from "./place.ts";

/** A store that was put back. */
export interface RestoredHistory extends Restored {
  /** Absolute path of the store. */
  readonly file: string;
}

/** Throws UserError (2) `no-workspace`, `store-whole`, `store-not-ours`, (3) `store-in-use`, `store-no-backup`. */
export async function restoreHistory(request: HistoryRequest): Promise<RestoredHistory> {
  const { cwd, store } = request;
  const root = store === undefined ? (await openWorkspace(".", cwd)).root : (findWorkspace(cwd)?.root ?? cwd);
  const { location } = storeOf(root, store);
  if ("file" in location) return { file: location.file, ...(await restoreStore(location.file)) };
  throw inputError({
    code: "store-not-ours",
    message: "The runs are recorded in PostgreSQL, of which dagger keeps no backup",
    at: [],
    hint: "Restore the database as its server's manual tells, with pg_restore for example",
  });
}
