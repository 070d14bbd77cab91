// Transactions: the one way to the tables. What is cut off is begun again, what cannot be mended is told as a UserError.
import { setTimeout as sleep } from "node:timers/promises";
import { CompiledQuery, Kysely, sql } from "kysely";
import { UserError } from "../../../compiler/index.ts";
import type { Dialect } from "../drivers/dialect.ts";
import { told } from "../drivers/faults.ts";
import { migrate, newestFormat, readFormat, refuseNewer } from "./migrations.ts";
import type { Db, Tables } from "./schema.ts";

export interface Patience {
  /** How long to try again, milliseconds. */
  readonly ms: number;
  /** Random number from 0 to 1: those who wait for the same thing do not come back at the same moment. */
  readonly jitter: () => number;
}

export class Database {
  readonly dialect: Dialect;
  readonly #db: Db;
  readonly #patience: Patience;
  /** Nobody waits for a server that was never there. */
  #reached = false;

  constructor(dialect: Dialect, patience: Patience) {
    this.dialect = dialect;
    this.#db = new Kysely<Tables>({ dialect: dialect.kysely });
    this.#patience = patience;
  }

  /**
   * Runs `work` in a transaction. It may run several times, and, when a connection is lost at the wrong moment, after its effects are there:
   * every work must be right when they are. `durable`: its rows also survive a loss of power.
   */
  write<T>(work: (db: Db) => Promise<T>, { durable = false }: { durable?: boolean } = {}): Promise<T> {
    return this.#persist(async (db) => {
      await this.dialect.sync?.(db, durable);
      return this.#transaction(db, this.dialect.begin.write, work);
    });
  }

  /** Sees one state of all tables. */
  read<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return this.#persist((db) => this.#transaction(db, this.dialect.begin.read, work));
  }

  /** Makes or changes the tables if need be. Rejects with `store-newer`. */
  async prepare(now: number): Promise<void> {
    const { dialect } = this;
    await this.#persist(async (db) => dialect.connect?.(db));
    const format = await this.#persist((db) => readFormat(db).catch((error: unknown) => this.#withoutTables(error)));
    refuseNewer(format, dialect.place);
    if (format === newestFormat) return;
    if (format > 0) await this.backUp(now, true);
    await this.write(
      async (db) => {
        await dialect.lockFormat(db);
        await migrate(db, dialect, dialect.place);
      },
      { durable: true },
    );
  }

  backUp(now: number, always: boolean): Promise<void> {
    return this.#persist(async (db) => this.dialect.backup?.(db, now, always));
  }

  /** Gives the room of deleted rows back to the file system. */
  shrink(): Promise<void> {
    return this.#persist(async (db) => this.dialect.shrink?.(db));
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  #withoutTables(error: unknown): number {
    if (this.dialect.fault(error).kind === "bug") return 0;
    throw error;
  }

  async #transaction<T>(db: Db, begin: string, work: (db: Db) => Promise<T>): Promise<T> {
    const say = (text: string): Promise<unknown> => db.executeQuery(CompiledQuery.raw(text));
    await say(begin);
    try {
      const result = await work(db);
      await say("commit");
      return result;
    } catch (error) {
      // A connection that is gone has rolled back already; SQLite has, after some errors.
      await say("rollback").catch(() => {});
      throw error;
    }
  }

  async #persist<T>(work: (db: Db) => Promise<T>): Promise<T> {
    const end = performance.now() + this.#patience.ms;
    for (let tries = 0; ; tries++) {
      try {
        const result = await this.#db.connection().execute(work);
        this.#reached = true;
        return result;
      } catch (error) {
        if (error instanceof UserError) throw error;
        const fault = this.dialect.fault(error);
        const again = fault.kind === "busy" || (fault.kind === "gone" && this.#reached);
        if (!again || performance.now() > end) throw told(fault, this.dialect.place, error);
      }
      await sleep(Math.min(2 ** tries, 100) * (0.5 + this.#patience.jitter()));
    }
  }
}

/** The next number of a counter (the last of `count`), and the stamp beside it raised to `stamp`: neither ever goes back. */
export async function draw(
  db: Db,
  name: "run" | "token" | "lease" | "blob" | "job" | "datum",
  stamp = 0,
  count = 1,
): Promise<{ value: number; stamp: number }> {
  const raised = sql<number>`case when stamp > ${stamp} then stamp else ${stamp} end`;
  return db
    .updateTable("counters")
    .set({ value: sql<number>`value + ${count}`, stamp: raised })
    .where("name", "=", name)
    .returning(["value", "stamp"])
    .executeTakeFirstOrThrow();
}
