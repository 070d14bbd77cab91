// Leases: a queue for each key. Order is the order of commits, and each holder gets a higher number than all before.
import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseEntry } from "../records.ts";
import type { Lease, Leases, LeaseWish } from "../store.ts";
import { draw } from "./database.ts";
import { leaseLost, superseded } from "./losses.ts";
import { clock, isGone } from "./presence.ts";
import type { Db } from "./schema.ts";
import type { Scope } from "./scope.ts";
import { openStates } from "./states.ts";

export function leases(scope: Scope): Leases {
  return {
    acquire: (wish) => acquire(scope, wish),
    list: (key) =>
      scope.database.read(async (db) => {
        const rows = await entries(db, scope, key).execute();
        return rows.map(entryOf);
      }),
  };
}

/** In the transaction that is only allowed to the holder of a lease. Rejects with `lease-lost`. */
export async function requireHeld(db: Db, { database, tenant }: Scope, { key, token }: Pick<Lease, "key" | "token">): Promise<void> {
  const own = db.selectFrom("leases").select("id").where("tenant", "=", tenant).where("key", "=", key);
  const held = own.where("token", "=", token).where("state", "=", "held");
  if ((await (database.dialect.locksRows ? held.forUpdate() : held).executeTakeFirst()) === undefined) throw leaseLost();
}

async function acquire(scope: Scope, wish: LeaseWish): Promise<Lease> {
  const { database, presence } = scope;
  const ticket = Buffer.from(scope.random(16)).toString("hex");
  wish.signal.throwIfAborted();
  const leave = async (): Promise<void> => {
    presence.release(ticket);
    await database.write((db) => db.deleteFrom("leases").where("ticket", "=", ticket).execute());
  };
  await database.write((db) => enqueue(db, scope, wish, ticket));
  // Others see from now on that this process lives; a place in the queue is lost like a lease.
  const signal = presence.possess("lease", ticket);
  try {
    const token = await turn(scope, wish, ticket, signal);
    return { key: wish.key, token, signal, release: leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function enqueue(db: Db, scope: Scope, wish: LeaseWish, ticket: string): Promise<void> {
  const { key, supersede } = wish;
  const run = wish.run ?? null;
  const { tenant, presence } = scope;
  // Drawn first: it lets one in after the other, so that order of numbers is order of commits.
  const { value: id } = await draw(db, "lease");
  if ((await db.selectFrom("leases").select("id").where("ticket", "=", ticket).executeTakeFirst()) !== undefined) return;
  await presence.join(db);
  if (supersede === true) await supersedeOthers(db, tenant, key);
  const entry = { id, tenant, key, state: "waiting" as const, token: 0, run, holder: presence.holder, superseded: 0, ticket };
  const since = await clock(db, scope.database);
  await db
    .insertInto("leases")
    .values({ ...entry, since })
    .execute();
}

async function supersedeOthers(db: Db, tenant: string, key: string): Promise<void> {
  const others = db.updateTable("leases").set({ superseded: 1 }).where("tenant", "=", tenant).where("key", "=", key);
  const rows = await others.returning("run").execute();
  const ids = rows.flatMap(({ run }) => (run === null ? [] : [run]));
  if (ids.length === 0) return;
  const open = db.updateTable("runs").where("tenant", "=", tenant).where("id", "in", ids).where("state", "in", openStates);
  await open.set((is) => ({ cancelling: is.fn.coalesce("cancelling", is.val("superseded")) })).execute();
}

/** How long to wait before looking again, milliseconds: short at first, for those who come next. */
const shortest = 25;
const longest = 400;

/** Resolves with the token when nobody is before this ticket. */
async function turn(scope: Scope, { key, signal, onWait }: LeaseWish, ticket: string, own: AbortSignal): Promise<number> {
  let shown = "";
  for (let wait = shortest; ; wait = Math.min(wait * 1.5, longest)) {
    for (const reason of [signal, own]) reason.throwIfAborted();
    const { before, gone } = await look(scope, key, ticket);
    if (before.length === 0 || gone) {
      const token = await take(scope, key, ticket);
      if (token !== undefined) return token;
    } else {
      const picture = JSON.stringify(before);
      if (picture !== shown) onWait?.(before);
      shown = picture;
    }
    await sleep(wait * (0.75 + scope.random(1)[0]! / 512), undefined, { signal: AbortSignal.any([signal, own]) }).catch(() => {});
  }
}

/** Only reads: hundreds may wait. Throws when this ticket is no longer in the queue, or was superseded. */
async function look(scope: Scope, key: string, ticket: string): Promise<{ before: LeaseEntry[]; gone: boolean }> {
  const { database, presence } = scope;
  return database.read(async (db) => {
    const rows = await entries(db, scope, key).execute();
    const mine = rows.findIndex((row) => row.ticket === ticket);
    if (mine === -1) throw leaseLost();
    if (rows[mine]?.superseded === 1) throw superseded();
    const before = rows.slice(0, mine);
    const now = before.length === 0 ? 0 : await clock(db, database);
    const gone = before.some((row) => isGone(row, presence.self, now) || (row.superseded === 1 && row.until < now));
    return { before: before.map(entryOf), gone };
  });
}

async function take(scope: Scope, key: string, ticket: string): Promise<number | undefined> {
  const { database, tenant, presence } = scope;
  return database.write(
    async (db) => {
      await presence.sweep(db);
      const { value: token } = await draw(db, "token");
      const mine = await db.selectFrom("leases").select(["id", "state", "token"]).where("ticket", "=", ticket).executeTakeFirst();
      if (mine === undefined) throw leaseLost();
      // Tried again after a commit whose answer was lost.
      if (mine.state === "held") return mine.token;
      const before = db.selectFrom("leases").select("id").where("tenant", "=", tenant).where("key", "=", key).where("id", "<", mine.id);
      if ((await before.executeTakeFirst()) !== undefined) return undefined;
      const held = { state: "held" as const, token, since: await clock(db, database) };
      await db.updateTable("leases").set(held).where("ticket", "=", ticket).execute();
      return token;
    },
    { durable: true },
  );
}

const entries = (db: Db, { tenant }: Scope, key: string | undefined) =>
  db
    .selectFrom("leases")
    .innerJoin("holders", "holders.id", "leases.holder")
    .select(["key", "state", "token", "run", "label", "since", "ticket", "superseded", "machine", "pid", "birth", "until"])
    .where("tenant", "=", tenant)
    .$if(key !== undefined, (q) => q.where("key", "=", key ?? ""))
    .orderBy("leases.key")
    .orderBy("leases.id");

interface EntryRow extends Omit<LeaseEntry, "holder" | "run"> {
  readonly label: string;
  readonly run: string | null;
}

function entryOf({ key, state, token, run, label, since }: EntryRow): LeaseEntry {
  return { key, state, token, holder: label, since, ...(run === null ? {} : { run }) };
}
