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

  /** The transaction that all of this one is part of. */
  readonly #whole: Db | undefined;
  /** Something in that transaction has to be durable. */
  #durable = false;

  constructor(dialect: Dialect, patience: Patience, whole?: Db) {
    this.dialect = dialect;
    this.#db = whole ?? new Kysely<Tables>({ dialect: dialect.kysely });
    this.#patience = patience;
    this.#whole = whole;
  }

  /**
   * Runs `work` in a transaction. It may run several times, and, when a connection is lost at the wrong moment, after its effects are there:
   * every work must be right when they are. `durable`: its rows also survive a loss of power.
   */
  async write<T>(work: (db: Db) => Promise<T>, { durable = false }: { durable?: boolean } = {}): Promise<T> {
    if (this.#whole !== undefined) {
      this.#durable ||= durable;
      return work(this.#whole);
    }
    const result = await this.#persist((db) => this.#transaction(db, this.dialect.begin.write, work));
    if (durable) await this.#patiently(async () => this.dialect.flush?.());
    return result;
  }

  /** All that `work` writes and reads in the database it is given is one transaction; as with `write`, it may run several times. */
  async together<T>(work: (inside: Database) => Promise<T>): Promise<T> {
    let durable = false;
    const result = await this.write(async (db) => {
      const inside = new Database(this.dialect, this.#patience, db);
      const done = await work(inside);
      durable = inside.#durable;
      return done;
    });
    if (durable) await this.#patiently(async () => this.dialect.flush?.());
    return result;
  }

  /** One question, which needs no transaction. */
  async ask<T>(question: (db: Db) => Promise<T>): Promise<T> {
    return this.#whole === undefined ? this.#persist(question) : question(this.#whole);
  }

  /** Sees one state of all tables. */
  async read<T>(work: (db: Db) => Promise<T>): Promise<T> {
    if (this.#whole !== undefined) return work(this.#whole);
    return this.#persist((db) => this.#transaction(db, this.dialect.begin.read, work));
  }

  /** Makes or changes the tables if need be. Rejects with `store-newer`. */
  async prepare(now: number): Promise<void> {
    const { dialect } = this;
    const format = await this.ask((db) => readFormat(db).catch((error: unknown) => this.#withoutTables(error)));
    refuseNewer(format, dialect.place);
    await this.#persist(async (db) => dialect.settle?.(db, format === 0));
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

  #persist<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return this.#patiently(() => this.#db.connection().execute(work));
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const end = elapsed() + this.#patience.ms;
    for (let tries = 0; ; tries++) {
      try {
        const result = await work();
        this.#reached = true;
        return result;
      } catch (error) {
        if (error instanceof UserError) throw error;
        const fault = this.dialect.fault(error);
        const again = fault.kind === "busy" || (fault.kind === "gone" && this.#reached);
        // A process that was frozen finds its time over, and has not tried again yet.
        if (!again || (tries > 0 && elapsed() > end)) throw told(fault, this.dialect.place, error);
      }
      await sleep(Math.min(2 ** tries, 100) * (0.5 + this.#patience.jitter()));
    }
  }
}

/** Milliseconds of a clock that nobody sets. `performance.now()` says the same, but Node loads a dozen modules for it. */
export function elapsed(): number {
  return Number(process.hrtime.bigint()) / 1e6;
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
