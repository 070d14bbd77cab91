// Runs: a row before anything runs, changed only by who shows its token, final once.
import { chanceOf, runId } from "../ids.ts";
import type { FinalState, Json, NewRun, Run, RunChange, RunEnd, RunFilter, RunKey, RunPage, RunState, Versions } from "../records.ts";
import type { Lease, PruneFilter, Runs } from "../store.ts";
import { draw } from "./database.ts";
import { takenOver } from "./losses.ts";
import type { Db, RunRow } from "./schema.ts";
import { filled, type Scope } from "./scope.ts";
import { finalStates, openStates } from "./states.ts";

export function runs(scope: Scope): Runs {
  const { database, tenant, presence } = scope;
  return {
    create: (run) => create(scope, run),
    start: (key, lease) => start(scope, key, lease),
    update: async (key, change) => {
      const set = columnsOf(change);
      if (Object.keys(set).length === 0) return;
      const row = await database.write((db) => changeIfOpen(db, scope, key, set));
      if (row === undefined) throw takenOver(key.id);
    },
    finish: (key, end) => finish(scope, key, end),
    get: (id) =>
      database.read(async (db) => {
        const row = await db.selectFrom("runs").selectAll().where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst();
        return row === undefined ? undefined : runOf(row);
      }),
    list: (filter = {}) => database.read((db) => list(db, tenant, filter)),
    cancel: (id, reason) =>
      database.write(async (db) => {
        const open = db.updateTable("runs").where("tenant", "=", tenant).where("id", "=", id).where("state", "in", openStates);
        const { numUpdatedRows } = await open
          .set((is) => ({ cancelling: is.fn.coalesce("cancelling", is.val(reason)) }))
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
    signal: (id) => presence.possess("run", id),
    prune: (what) => prune(scope, what),
  };
}

async function create(scope: Scope, run: NewRun): Promise<{ run: Run; created: boolean }> {
  const { database, tenant, presence } = scope;
  const chance = scope.random(4);
  const created = scope.now();
  const idempotency = run.idempotencyKey ?? `- ${Buffer.from(scope.random(16)).toString("hex")}`;
  const begun = run.startsAtOnce === true ? { state: "running", started: created } : { state: "queued", started: null };
  let tries = 0;
  const row = await database.write(
    async (db) => {
      const { value: seq, stamp } = await draw(db, "run", created);
      // After the counter, which lets one in after the other. A key by chance is there only when a try before wrote it.
      if (run.idempotencyKey !== undefined || tries++ > 0) {
        const same = db.selectFrom("runs").selectAll().where("tenant", "=", tenant).where("idempotency", "=", idempotency);
        const there = await same.executeTakeFirst();
        if (there !== undefined) return there;
      }
      await presence.join(db);
      const { value: token } = await draw(db, "token");
      const { stack, env, config = null, parent = null } = run;
      const [versions, request] = [JSON.stringify(run.versions), JSON.stringify(run.request)];
      const fresh = { seq, id: runId(stamp, seq, chance), tenant, stack, env, ...begun, created, token, passes: 0, idempotency };
      const values = { ...fresh, versions, request, config, parent, holder: presence.holder };
      return db.insertInto("runs").values(values).returningAll().executeTakeFirstOrThrow();
    },
    { durable: true },
  );
  // Also when the row was written by a try whose answer was lost.
  const mine = row.holder === presence.holder && row.id.endsWith(chanceOf(chance));
  if (mine) presence.possess("run", row.id);
  return { run: runOf(row), created: mine };
}

async function start(scope: Scope, key: RunKey, lease: Pick<Lease, "token"> | undefined): Promise<Run> {
  const started = scope.now();
  const token = lease?.token ?? key.token;
  return scope.database.write(async (db) => {
    // Tried again after a commit whose answer was lost, the run shows the new token already.
    const own = db.updateTable("runs").where("tenant", "=", scope.tenant).where("id", "=", key.id).where("state", "in", openStates);
    const row = await own
      .where("token", "in", [key.token, token])
      .set({ state: "running", started, token })
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw takenOver(key.id);
    return runOf(row);
  });
}

async function finish(scope: Scope, key: RunKey, end: RunEnd): Promise<Run> {
  const { database, tenant, presence } = scope;
  const { state, reason = null, category = null } = end;
  const ended = scope.now();
  const row = await database.write(
    async (db) => {
      const said = { ...columnsOf(end), state, reason, category, ended, holder: null };
      const changed = await changeIfOpen(db, scope, key, said);
      if (changed !== undefined) return changed;
      const there = db.selectFrom("runs").selectAll().where("tenant", "=", tenant).where("id", "=", key.id).where("token", "=", key.token);
      const same = await there.where("state", "=", state).executeTakeFirst();
      if (same === undefined) throw takenOver(key.id);
      return same;
    },
    { durable: true },
  );
  presence.release(row.id);
  return runOf(row);
}

/** Changes a run whose token is shown. Undefined: it is not open, or not with this token. */
function changeIfOpen(db: Db, { tenant }: Scope, { id, token }: RunKey, set: Partial<RunRow>): Promise<RunRow | undefined> {
  const own = db.updateTable("runs").where("tenant", "=", tenant).where("id", "=", id).where("token", "=", token);
  return own.where("state", "in", openStates).set(set).returningAll().executeTakeFirst();
}

function columnsOf({ versions, config, passes, summary }: RunChange): Partial<RunRow> {
  return {
    ...(versions === undefined ? {} : { versions: JSON.stringify(versions) }),
    ...(config === undefined ? {} : { config }),
    ...(passes === undefined ? {} : { passes }),
    ...(summary === undefined ? {} : { summary: JSON.stringify(summary) }),
  };
}

function runOf(row: RunRow): Run {
  const { versions, request, summary, holder: _holder, idempotency: _idempotency, ...rest } = row;
  return {
    ...filled(rest),
    versions: JSON.parse(versions) as Versions,
    request: JSON.parse(request) as Json,
    ...(summary === null ? {} : { summary: JSON.parse(summary) as Json }),
  } as Run;
}

async function list(db: Db, tenant: string, filter: RunFilter): Promise<RunPage> {
  const limit = Math.min(Math.max(filter.limit ?? 50, 1), 1000);
  const states = filter.states ?? [undefined];
  // A query for each state: every one of them is read in the order of an index, as far as the page goes.
  const found: RunRow[] = [];
  for (const state of states) found.push(...(await select(db, tenant, filter, state, limit + 1)));
  const rows = found.sort((a, b) => b.seq - a.seq).slice(0, limit);
  const last = rows.at(-1);
  return { runs: rows.map(runOf), ...(found.length > limit && last !== undefined ? { next: String(last.seq) } : {}) };
}

function select(db: Db, tenant: string, filter: RunFilter, state: RunState | undefined, limit: number): Promise<RunRow[]> {
  const { stack, env, since, before, cursor, prefix } = filter;
  return (
    db
      .selectFrom("runs")
      .selectAll()
      .where("tenant", "=", tenant)
      .$if(stack !== undefined, (q) => q.where("stack", "=", stack ?? ""))
      .$if(env !== undefined, (q) => q.where("env", "=", env ?? ""))
      // Ids are of digits and small letters.
      .$if(prefix !== undefined, (q) => q.where("id", ">=", prefix ?? "").where("id", "<", `${prefix ?? ""}~`))
      .$if(state !== undefined, (q) => q.where("state", "=", state ?? ""))
      .$if(since !== undefined, (q) => q.where("created", ">=", since ?? 0))
      .$if(before !== undefined, (q) => q.where("created", "<", before ?? 0))
      .$if(cursor !== undefined, (q) => q.where("seq", "<", Number(cursor)))
      .orderBy("seq", "desc")
      .limit(limit)
      .execute()
  );
}

/** Runs a transaction deletes: others write between two of them. */
const prunedAtOnce = 200;

async function prune({ database, tenant }: Scope, what: PruneFilter): Promise<number> {
  const states: readonly FinalState[] = what.states ?? finalStates;
  let pruned = 0;
  for (;;) {
    const gone = await database.write((db) => pruneSome(db, tenant, { ...what, states }));
    pruned += gone;
    if (gone < prunedAtOnce) break;
  }
  if (pruned > 0) await database.shrink();
  return pruned;
}

async function pruneSome(db: Db, tenant: string, { stack, env, states, before, keep = 0 }: PruneFilter): Promise<number> {
  const rows = await db
    .selectFrom("runs")
    .select("seq")
    .where("tenant", "=", tenant)
    .where("state", "in", [...(states ?? finalStates)])
    .$if(stack !== undefined, (q) => q.where("stack", "=", stack ?? ""))
    .$if(env !== undefined, (q) => q.where("env", "=", env ?? ""))
    .$if(before !== undefined, (q) => q.where("created", "<", before ?? 0))
    .orderBy("seq", "desc")
    .offset(keep)
    .limit(prunedAtOnce)
    .execute();
  if (rows.length === 0) return 0;
  const seqs = rows.map(({ seq }) => seq);
  for (const table of ["components", "journals", "chunks"] as const) await db.deleteFrom(table).where("run", "in", seqs).execute();
  await draw(db, "blob");
  const used = await db.deleteFrom("blob_uses").where("run", "in", seqs).returning("digest").execute();
  for (const digest of new Set(used.map((use) => use.digest))) {
    const use = db.selectFrom("blob_uses").select("run").where("tenant", "=", tenant).where("digest", "=", digest);
    if ((await use.executeTakeFirst()) !== undefined) continue;
    await db.deleteFrom("blobs").where("tenant", "=", tenant).where("digest", "=", digest).execute();
  }
  await db.deleteFrom("runs").where("seq", "in", seqs).execute();
  return rows.length;
}
