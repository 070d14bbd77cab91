// Opens a store: connects, makes or changes its tables, and ends what processes left that are gone.
import { randomBytes } from "node:crypto";
import { UserError } from "../../compiler/index.ts";
import type { Dialect } from "./drivers/dialect.ts";
import { thisProcess } from "./process.ts";
import { blobs, components, outputs } from "./sql/contents.ts";
import { Database } from "./sql/database.ts";
import { jobs } from "./sql/jobs.ts";
import { journal } from "./sql/journal.ts";
import { leases } from "./sql/leases.ts";
import { lineages } from "./sql/lineage.ts";
import { newestFormat } from "./sql/migrations.ts";
import { events, logs } from "./sql/pack.ts";
import { Presence } from "./sql/presence.ts";
import { runs } from "./sql/runs.ts";
import type { Scope } from "./sql/scope.ts";
import type { Store, StoreLocation, StoreOptions } from "./store.ts";

const megabyte = 1024 * 1024;

export async function open(options: StoreOptions): Promise<Store> {
  const { now, onNotice = () => {}, patience = 30_000 } = options;
  const random = (bytes: number): Uint8Array => randomBytes(bytes);
  const jitter = (): number => random(1)[0]! / 256;
  const database = new Database(await dialectOf(options.location), { ms: patience, jitter });
  const beat = options.beat ?? { every: 2000, ttl: 30_000 };
  const holder = Buffer.from(random(12)).toString("hex");
  const presence = new Presence(database, { holder, self: thisProcess(), beat, now });
  try {
    await database.prepare(now());
    if (await database.ask((db) => presence.anyGone(db))) {
      for (const id of await database.write((db) => presence.sweep(db))) onNotice(`The run ${id} was interrupted`);
    }
  } catch (error) {
    await database.close();
    throw error;
  }
  const limits = { events: options.limits?.events ?? 16 * megabyte, logs: options.limits?.logs ?? 32 * megabyte };
  const scope = { database, presence, now, random, limits };
  const upkeep = keepCopied(database, options);
  const close = async (): Promise<void> => {
    try {
      await upkeep.end();
      await presence.leave();
      await database.backUp(now(), false).catch((error: unknown) => onNotice(`The store was not copied: ${textOf(error)}`));
    } finally {
      await database.close();
    }
  };
  return storeOf({ ...scope, tenant: options.tenant ?? "" }, close);
}

/** Copies a store that is never closed, too. */
function keepCopied({ dialect }: Database, { now, onNotice = () => {}, copyEvery = 60 * 60_000 }: StoreOptions): { end(): Promise<void> } {
  let copying = Promise.resolve();
  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    copying = (dialect.backupBeside?.(now()) ?? Promise.resolve())
      .catch((error: unknown) => onNotice(`The store was not copied: ${textOf(error)}`))
      .finally(() => {
        isBusy = false;
      });
  }, copyEvery).unref();
  const end = async (): Promise<void> => {
    clearInterval(timer);
    await copying;
  };
  return { end };
}

function storeOf(scope: Scope, close: () => Promise<void>): Store {
  return {
    tenant: scope.tenant,
    format: newestFormat,
    forTenant: (tenant) => storeOf({ ...scope, tenant }, close),
    runs: runs(scope),
    components: components(scope),
    events: journal(scope, events, scope.limits.events),
    logs: journal(scope, logs, scope.limits.logs),
    blobs: blobs(scope),
    outputs: outputs(scope),
    leases: leases(scope),
    jobs: jobs(scope),
    lineages: lineages(scope),
    together: (work) => scope.database.together((inside) => work(storeOf({ ...scope, database: inside, own: new Map() }, close))),
    close,
  };
}

async function dialectOf(location: StoreLocation): Promise<Dialect> {
  if ("file" in location) {
    const { openSqlite } = await import("./drivers/sqlite.ts");
    return openSqlite(location.file);
  }
  if (!/^postgres(ql)?:\/\//.test(location.url)) {
    const message = "The address of the store does not begin with postgres://";
    throw new UserError(2, [{ code: "store-address", message, at: [], hint: "Write it as postgres://USER@HOST/DATABASE" }]);
  }
  const { openPostgres } = await import("./drivers/postgres.ts");
  return openPostgres(location.url);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
