// What a driver gives: SQL through Kysely, and the few things in which databases differ.
import type { Dialect as KyselyDialect, RawBuilder } from "kysely";
import type { Db } from "../sql/schema.ts";

export interface Dialect {
  readonly kysely: KyselyDialect;
  /** Where the store is, for messages: never with a password. */
  readonly place: string;
  readonly types: { readonly int: RawBuilder<unknown>; readonly bytes: RawBuilder<unknown> };
  /** A table named `list` of the items of a JSON list, each in a column `item`: many rows take one parameter, and no long statement. */
  readonly list: (json: string) => RawBuilder<unknown>;
  /** The database's own clock, milliseconds since 1970. */
  readonly clock: RawBuilder<number>;
  /** Rows that are read can be locked until the transaction ends; where a writer is alone, that is not needed. */
  readonly locksRows: boolean;
  readonly begin: {
    /** For readers: one state of all tables. */
    readonly read: string;
    readonly write: string;
  };
  /** Once, before anything is written. A new store has no tables. */
  readonly settle?: (db: Db, isNew: boolean) => Promise<void>;
  /** What was committed so far survives a loss of power from now on. Not there when commits themselves see to it. */
  readonly flush?: () => Promise<void>;
  /** Inside of a transaction: keeps others from migrating meanwhile. */
  readonly lockFormat: (db: Db) => Promise<void>;
  /** What an error of the database means. */
  readonly fault: (error: unknown) => Fault;
  /** After many rows were deleted: gives their room back. */
  readonly shrink?: (db: Db) => Promise<void>;
  /** Before tables are changed, and when the store is closed. */
  readonly backup?: (db: Db, now: number, always: boolean) => Promise<void>;
  /** While the store is used, where a copy is due: nobody waits for it. */
  readonly backupBeside?: (now: number) => Promise<void>;
}

/**
 * `busy`: the same again in a moment; `gone`: the connection is lost, and whether a commit arrived is not known; `bug`: nothing that a user
 * could mend.
 */
export type Fault =
  | { readonly kind: "busy" | "gone" | "bug"; readonly why: string }
  | { readonly kind: "told"; readonly code: string; readonly message: string; readonly hint: string };
