// Jobs: runs that wait for a worker, in a queue. One worker has a job at a time; when it is gone, the job waits again.
import { chanceOf, runId } from "../ids.ts";
import type { FinalJobState, Job, JobFilter, JobKey, JobState, Json, NewJob } from "../records.ts";
import type { Jobs } from "../store.ts";
import { draw } from "./database.ts";
import { jobTakenOver } from "./losses.ts";
import type { Db, Tables } from "./schema.ts";
import { filled, type Scope } from "./scope.ts";

type JobRow = Tables["jobs"];

const openJobs: JobState[] = ["queued", "running"];

export function jobs(scope: Scope): Jobs {
  const { database, tenant } = scope;
  return {
    add: (job) => add(scope, job),
    take: (tags, attempts) => take(scope, new Set(tags), attempts),
    attach: async (key, run) => {
      const { cancelling } = await change(scope, key, () => ({ run }));
      return cancelling ?? undefined;
    },
    end: (key, state, reason) => end(scope, key, state, reason),
    giveBack: async (key, reason, counted) => {
      const free = { holder: null, ticket: null };
      await change(scope, key, ({ attempts, cancelling }) => ({
        ...free,
        ...(cancelling === null ? { state: "queued", reason } : { state: "cancelled", reason: cancelling, ended: scope.now() }),
        attempts: counted ? attempts : attempts - 1,
      }));
    },
    cancel: (id, reason) => cancel(scope, id, reason),
    get: (id) => get(scope, id),
    list: (filter = {}) => database.read((db) => list(db, tenant, filter)),
  };
}

async function add(scope: Scope, job: NewJob): Promise<{ job: Job; created: boolean }> {
  const { database, tenant } = scope;
  const chance = scope.random(4);
  const created = scope.now();
  const idempotency = job.idempotencyKey ?? `- ${Buffer.from(scope.random(16)).toString("hex")}`;
  const row = await database.write(
    async (db) => {
      // Drawn first: it lets one in after the other.
      const { value: seq, stamp } = await draw(db, "job", created);
      const same = db.selectFrom("jobs").selectAll().where("tenant", "=", tenant).where("idempotency", "=", idempotency);
      const there = await same.executeTakeFirst();
      if (there !== undefined) return there;
      const { stack, env } = job;
      const tags = JSON.stringify([...new Set(job.tags)].sort());
      const fresh = { seq, id: runId(stamp, seq, chance), tenant, stack, env, tags, state: "queued", attempts: 0, token: 0 };
      const values = { ...fresh, request: JSON.stringify(job.request), created, idempotency };
      return db.insertInto("jobs").values(values).returningAll().executeTakeFirstOrThrow();
    },
    { durable: true },
  );
  return { job: jobOf(row), created: row.id.endsWith(chanceOf(chance)) };
}

/** Most of the time nothing waits: that is only looked at. */
async function take(scope: Scope, tags: ReadonlySet<string>, attempts: number): Promise<Job | undefined> {
  const { database, presence, tenant } = scope;
  const ticket = Buffer.from(scope.random(16)).toString("hex");
  const isWork = await database.read(
    async (db) => (await firstFor(db, tenant, tags)) !== undefined || ((await isRunning(db, tenant)) && (await presence.anyGone(db))),
  );
  if (!isWork) return undefined;
  const row = await database.write(
    async (db) => {
      const { value: token } = await draw(db, "token");
      // Tried again after a commit whose answer was lost.
      const mine = await db.selectFrom("jobs").selectAll().where("ticket", "=", ticket).executeTakeFirst();
      if (mine !== undefined) return mine;
      await presence.sweep(db);
      for (let found = await firstFor(db, tenant, tags); found !== undefined; found = await firstFor(db, tenant, tags)) {
        const waiting = db.updateTable("jobs").where("seq", "=", found.seq).where("state", "=", "queued").returningAll();
        if (found.attempts >= attempts) {
          await waiting.set({ state: "failed", ended: scope.now() }).execute();
          continue;
        }
        await presence.join(db);
        const taken = {
          state: "running",
          holder: presence.holder,
          token,
          ticket,
          attempts: found.attempts + 1,
          reason: null,
          cancelling: null,
        };
        const row = await waiting.set(taken).executeTakeFirst();
        if (row !== undefined) return row;
      }
      return undefined;
    },
    { durable: true },
  );
  return row === undefined ? undefined : jobOf(row, presence.self.label);
}

const page = 200;

/** The first in the queue that asks for none but these tags. */
async function firstFor(db: Db, tenant: string, tags: ReadonlySet<string>): Promise<Pick<JobRow, "seq" | "attempts"> | undefined> {
  for (let after = -1; ; ) {
    const waiting = db.selectFrom("jobs").select(["seq", "tags", "attempts"]).where("tenant", "=", tenant).where("state", "=", "queued");
    const rows = await waiting.where("seq", ">", after).orderBy("seq").limit(page).execute();
    const found = rows.find((row) => (JSON.parse(row.tags) as string[]).every((tag) => tags.has(tag)));
    const last = rows.at(-1);
    if (found !== undefined || last === undefined || rows.length < page) return found;
    after = last.seq;
  }
}

async function isRunning(db: Db, tenant: string): Promise<boolean> {
  const running = db.selectFrom("jobs").select("seq").where("tenant", "=", tenant).where("state", "=", "running");
  return (await running.limit(1).executeTakeFirst()) !== undefined;
}

/** Changes a job that whoever shows the token has. Gives it as it is then. */
async function change({ database, tenant }: Scope, { id, token }: JobKey, set: (row: JobRow) => Partial<JobRow>): Promise<JobRow> {
  const row = await database.write(
    async (db) => {
      const held = db.selectFrom("jobs").selectAll().where("tenant", "=", tenant).where("id", "=", id).where("token", "=", token);
      const own = held.where("state", "=", "running");
      const found = await (database.dialect.locksRows ? own.forUpdate() : own).executeTakeFirst();
      if (found === undefined) return undefined;
      return db.updateTable("jobs").set(set(found)).where("seq", "=", found.seq).returningAll().executeTakeFirst();
    },
    { durable: true },
  );
  if (row === undefined) throw jobTakenOver(id);
  return row;
}

async function end(scope: Scope, key: JobKey, state: FinalJobState, reason?: string): Promise<Job> {
  const set = { state, holder: null, ticket: null, ended: scope.now(), reason: reason ?? null };
  const ended = change(scope, key, () => set).then((row) => jobOf(row));
  return ended.catch(async (error: unknown) => {
    // Said before, and the answer was lost.
    const there = await get(scope, key.id);
    if (there?.token === key.token && there.state === state) return there;
    throw error;
  });
}

async function cancel(scope: Scope, id: string, reason: string): Promise<Job | undefined> {
  const { database, tenant } = scope;
  return database.write(async (db) => {
    const own = db.updateTable("jobs").where("tenant", "=", tenant).where("id", "=", id);
    const over = { state: "cancelled", ended: scope.now(), reason };
    const waiting = await own.where("state", "=", "queued").set(over).returningAll().executeTakeFirst();
    const row = waiting ?? (await own.where("state", "=", "running").set({ cancelling: reason }).returningAll().executeTakeFirst());
    return row === undefined ? undefined : jobOf(row);
  });
}

function get({ database, tenant }: Scope, id: string): Promise<Job | undefined> {
  return database.read(async (db) => {
    const row = await select(db, tenant).where("jobs.id", "=", id).executeTakeFirst();
    return row === undefined ? undefined : jobOf(row, row.label ?? undefined);
  });
}

const select = (db: Db, tenant: string) =>
  db.selectFrom("jobs").leftJoin("holders", "holders.id", "jobs.holder").selectAll("jobs").select("label").where("tenant", "=", tenant);

async function list(db: Db, tenant: string, { states, prefix, limit = 50 }: JobFilter): Promise<readonly Job[]> {
  const most = Math.min(Math.max(limit, 1), 1000);
  const wanted = (all: readonly JobState[]): JobState[] => all.filter((state) => states === undefined || states.includes(state));
  const read = async (of: JobState[], order: "asc" | "desc", count: number): Promise<Job[]> => {
    if (of.length === 0 || count === 0) return [];
    const rows = await select(db, tenant)
      .where("state", "in", of)
      .$if(prefix !== undefined, (q) => q.where("jobs.id", ">=", prefix ?? "").where("jobs.id", "<", `${prefix ?? ""}~`))
      .orderBy("seq", order)
      .limit(count)
      .execute();
    return rows.map((row) => jobOf(row, row.label ?? undefined));
  };
  const open = await read(wanted(openJobs), "asc", most);
  return [...open, ...(await read(wanted(["done", "failed", "cancelled"]), "desc", most - open.length))];
}

function jobOf(row: JobRow, label?: string): Job {
  const { id, stack, env, tags, state, request, attempts, token, run, created, ended, reason } = row;
  return {
    id,
    stack,
    env,
    tags: JSON.parse(tags) as string[],
    state: state as JobState,
    request: JSON.parse(request) as Json,
    attempts,
    token,
    created,
    ...filled({ run, ended, reason, worker: label }),
  };
}
