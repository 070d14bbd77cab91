// What every part of a store works with, and what a writer of a run must show.
import type { RunKey } from "../records.ts";
import type { Database } from "./database.ts";
import { takenOver } from "./losses.ts";
import type { Presence } from "./presence.ts";
import type { Db } from "./schema.ts";
import { openStates } from "./states.ts";

export interface Scope {
  readonly database: Database;
  readonly tenant: string;
  readonly presence: Presence;
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** Inside of a transaction: the runs that it was seen to may write into. */
  readonly own?: Map<string, OwnRun>;
  readonly limits: { readonly events: number; readonly logs: number };
}

export interface OwnRun {
  readonly seq: number;
  readonly stack: string;
  readonly env: string;
}

/** The row of a run that `key` may write into; it stays so until the transaction ends. Throws `run-taken-over`. */
export async function ownRun(db: Db, { tenant, database, own }: Scope, key: RunKey): Promise<OwnRun> {
  const name = `${key.token} ${key.id}`;
  const seen = own?.get(name);
  if (seen !== undefined) return seen;
  const query = db
    .selectFrom("runs")
    .select(["seq", "stack", "env"])
    .where("tenant", "=", tenant)
    .where("id", "=", key.id)
    .where("token", "=", key.token)
    .where("state", "in", openStates);
  const row = await (database.dialect.locksRows ? query.forShare() : query).executeTakeFirst();
  if (row === undefined) throw takenOver(key.id);
  own?.set(name, row);
  return row;
}

/** For rows that are read by id; nothing is to be found in a run that there is not. */
export async function seqOf(db: Db, { tenant }: Scope, id: string): Promise<number | undefined> {
  const row = await db.selectFrom("runs").select("seq").where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst();
  return row?.seq;
}

/** Leaves out what is null, so that optional fields are not there. */
export function filled<T extends object>(row: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
