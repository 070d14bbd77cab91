// That this process lives, and what it is told meanwhile: who is gone loses its leases, and its open runs become `interrupted`.
import { sql } from "kysely";
import type { UserError } from "../../../compiler/index.ts";
import { isAlive, type ProcessIdentity } from "../process.ts";
import { type Database, elapsed } from "./database.ts";
import { cancelled, leaseLost, superseded, takenOver } from "./losses.ts";
import type { Db, Tables } from "./schema.ts";
import { openStates } from "./states.ts";

export interface Beat {
  readonly every: number;
  readonly ttl: number;
}

/** Something that this process has, and may lose. */
interface Possession {
  readonly kind: "run" | "lease";
  /** Id of a run, ticket of a lease. */
  readonly id: string;
  readonly controller: AbortController;
}

export class Presence {
  readonly holder: string;
  readonly self: ProcessIdentity;
  readonly #database: Database;
  readonly #beat: Beat;
  readonly #now: () => number;
  readonly #possessions = new Map<string, Possession>();
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #heard = elapsed();
  #joined = false;

  constructor(database: Database, options: { holder: string; self: ProcessIdentity; beat: Beat; now: () => number }) {
    this.#database = database;
    this.holder = options.holder;
    this.self = options.self;
    this.#beat = options.beat;
    this.#now = options.now;
  }

  /** In a transaction that gives this process something: it is there from then on. */
  async join(db: Db): Promise<void> {
    const { machine, pid, birth, label } = this.self;
    const until = sql<number>`${this.#database.dialect.clock} + ${this.#beat.ttl}`;
    this.#joined = true;
    await db
      .insertInto("holders")
      .values({ id: this.holder, machine, pid, birth, label, until })
      .onConflict((is) => is.column("id").doUpdateSet((set) => ({ until: set.ref("excluded.until") })))
      .execute();
  }

  /** From now on, its loss or the wish for its end aborts the signal. */
  possess(kind: Possession["kind"], id: string): AbortSignal {
    const known = this.#possessions.get(id);
    if (known !== undefined) return known.controller.signal;
    const controller = new AbortController();
    this.#possessions.set(id, { kind, id, controller });
    if (this.#timer === undefined) {
      this.#heard = elapsed();
      this.#schedule();
    }
    return controller.signal;
  }

  release(id: string): void {
    this.#possessions.delete(id);
    if (this.#possessions.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#beating = this.beat()
        .catch(() => this.#unheard())
        .finally(() => {
          if (this.#timer !== undefined) this.#schedule();
        });
    }, this.#beat.every).unref();
  }

  /** Says that this process lives, and learns what became of what it has. */
  async beat(): Promise<void> {
    const possessions = [...this.#possessions.values()];
    const endings = await this.#database.write(async (db) => {
      await this.join(db);
      return Promise.all(possessions.map(async (had) => ({ had, why: await whyToEnd(db, had) })));
    });
    this.#heard = elapsed();
    for (const { had, why } of endings) if (why !== undefined) had.controller.abort(why);
  }

  /** The database does not answer. Others count this process as gone after `ttl`; it must not go on as if it were not. */
  #unheard(): void {
    if (elapsed() - this.#heard < this.#beat.ttl) return;
    for (const { kind, id, controller } of this.#possessions.values()) controller.abort(kind === "run" ? takenOver(id) : leaseLost());
  }

  /** Only looks: most stores have nothing to sweep. */
  async anyGone(db: Db): Promise<boolean> {
    const others = await db.selectFrom("holders").selectAll().where("id", "!=", this.holder).execute();
    if (others.length === 0) return false;
    const now = await clock(db, this.#database);
    return others.some((other) => isGone(other, this.self, now));
  }

  /** Ends what processes held that are gone. Says which runs were interrupted. */
  async sweep(db: Db): Promise<string[]> {
    const query = db.selectFrom("holders").selectAll().where("id", "!=", this.holder);
    const others = await (this.#database.dialect.locksRows ? query.forUpdate().skipLocked() : query).execute();
    const now = await clock(db, this.#database);
    const interrupted: string[] = [];
    for (const other of others) {
      if (isGone(other, this.self, now) || (other.until < now && (await isSuperseded(db, other.id)))) {
        interrupted.push(...(await endHolder(db, other.id, "killed", this.#now())));
      }
    }
    return interrupted;
  }

  /** Gives everything back, if there ever was anything. */
  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#beating;
    this.#possessions.clear();
    if (!this.#joined) return;
    // Whoever finds what a loss of power brought back, ends it.
    await this.#database.write(async (db) => {
      if (!(await endIdleHolder(db, this.holder))) await endHolder(db, this.holder, "closed", this.#now());
    });
  }
}

/**
 * A process that is known to live is not gone because it was silent: the machine may have slept. One that cannot be looked at is gone when
 * its time is up.
 */
export function isGone(other: Pick<Tables["holders"], "machine" | "pid" | "birth" | "until">, self: ProcessIdentity, now: number): boolean {
  const alive = isAlive(other, self);
  return alive === undefined ? other.until < now : !alive;
}

/** Somebody asked for the place of a process that lives but does not answer, a stopped one for example. */
async function isSuperseded(db: Db, holder: string): Promise<boolean> {
  const lease = db.selectFrom("leases").select("id").where("holder", "=", holder).where("superseded", "=", 1);
  return (await lease.executeTakeFirst()) !== undefined;
}

export async function clock(db: Db, { dialect }: Database): Promise<number> {
  const { now } = await db.selectNoFrom(dialect.clock.as("now")).executeTakeFirstOrThrow();
  return now;
}

/** False: it still holds something. */
async function endIdleHolder(db: Db, holder: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("holders")
    .where("id", "=", holder)
    .where(({ exists, not, and, selectFrom }) =>
      and(
        (["runs", "leases", "jobs"] as const).map((table) => not(exists(selectFrom(table).select("holder").where("holder", "=", holder)))),
      ),
    )
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

async function endHolder(db: Db, holder: string, reason: string, now: number): Promise<string[]> {
  const runs = await db
    .updateTable("runs")
    .set({ state: "interrupted", ended: now, reason, holder: null })
    .where("holder", "=", holder)
    .where("state", "in", openStates)
    .returning(["seq", "id"])
    .execute();
  for (const { seq } of runs) {
    const unfinished = db.updateTable("components").set({ state: "cancelled" }).where("run", "=", seq);
    await unfinished.where("state", "in", ["waiting", "running"]).execute();
  }
  await db.deleteFrom("leases").where("holder", "=", holder).execute();
  await releaseJobs(db, holder, reason, now);
  await db.deleteFrom("holders").where("id", "=", holder).execute();
  return runs.map(({ id }) => id);
}

/** Jobs wait for another worker, but for those whose end somebody asked for. */
async function releaseJobs(db: Db, holder: string, reason: string, now: number): Promise<void> {
  const jobs = db.updateTable("jobs").where("holder", "=", holder).where("state", "=", "running");
  const free = { holder: null, ticket: null };
  await jobs
    .where("cancelling", "is not", null)
    .set((is) => ({ ...free, state: "cancelled", ended: now, reason: is.ref("cancelling") }))
    .execute();
  await jobs.set({ ...free, state: "queued", reason }).execute();
}

async function whyToEnd(db: Db, { kind, id }: Possession): Promise<UserError | undefined> {
  if (kind === "lease") {
    const lease = await db.selectFrom("leases").select("superseded").where("ticket", "=", id).executeTakeFirst();
    if (lease === undefined) return leaseLost();
    return lease.superseded === 1 ? superseded() : undefined;
  }
  const run = await db.selectFrom("runs").select(["state", "cancelling"]).where("id", "=", id).executeTakeFirst();
  if (run === undefined || run.state === "interrupted") return takenOver(id);
  return run.cancelling === null ? undefined : cancelled(id, run.cancelling);
}
