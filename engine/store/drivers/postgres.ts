// PostgreSQL: one store for many machines. Connections may be lost at any moment; database.ts begins again what was cut off.
import { PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { Dialect, Fault } from "./dialect.ts";
import { unreachable } from "./faults.ts";

/** An int8 is a number here: no counter of ours grows beyond 2^53. */
const int8 = 20;

/** Kept from migrating at the same time by this lock: any fixed number. */
const formatLock = 4_711_082_113;

/**
 * A process that is frozen in the middle of a transaction (stopped, asleep, on a machine that lost its power) keeps its locks so long and no
 * longer: everybody else waits for them, and none can see why. Said with each transaction, so that it holds behind a pooler of connections too.
 */
const unfrozen = "set local idle_in_transaction_session_timeout = '10s'";

export function openPostgres(url: string): Dialect {
  const place = placeOf(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    allowExitOnIdle: true,
    application_name: "dagger",
    types: { getTypeParser: (id, format) => (id === int8 ? Number : (pg.types.getTypeParser(id, format) as (text: string) => unknown)) },
  });
  // An idle connection that the server ends is nobody's error: the next call gets another.
  pool.on("error", () => {});
  // Nor is one in use that ends between two queries: the next query fails.
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    kysely: new PostgresDialect({ pool }),
    place,
    types: { int: sql`bigint`, bytes: sql`bytea` },
    list: (json) => sql`(select value as item from json_array_elements(cast(${json} as json))) as list`,
    clock: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
    locksRows: true,
    begin: { read: `begin isolation level repeatable read read only; ${unfrozen}`, write: `begin; ${unfrozen}` },
    lockFormat: async (db) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(formatLock)})`.execute(db);
    },
    fault: (error) => faultOf(error, place),
  };
}

/** Host and database, without user and password. */
function placeOf(url: string): string {
  try {
    const { host, pathname, searchParams } = new URL(url);
    return `postgres://${host || (searchParams.get("host") ?? "localhost")}${pathname}`;
  } catch {
    return "postgres://…";
  }
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const busy = new Set(["40001", "40P01", "55P03", "53300"]);
const gone = new Set(["57P01", "57P02", "57P03", "57P05", "25P03", "ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT"]);
const full = new Set(["53100", "53000", "53200"]);
const readOnly = new Set(["25006", "42501"]);

function faultOf(error: unknown, place: string): Fault {
  const why = reasonOf(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  const told = (code: string, message: string, hint: string): Fault => ({ kind: "told", code, message, hint });
  if (typeof code === "string") {
    if (busy.has(code)) return { kind: "busy", why };
    if (gone.has(code) || code.startsWith("08")) return { kind: "gone", why };
    if (full.has(code)) return told("store-full", `The store ${place} cannot grow: ${why}`, "Make room on the disk of the database server");
    if (readOnly.has(code)) {
      return told("store-read-only", `The store ${place} cannot be written: ${why}`, "Use the primary server, and a user that may write");
    }
    if (code === "XX001" || code === "XX002") {
      return told("store-corrupt", `The store ${place} is damaged: ${why}`, "Restore the database from its backup");
    }
    if (code.startsWith("28") || code === "3D000" || !/^[0-9A-Z]{5}$/.test(code)) return unreachable(place, why);
  }
  // Of pg itself, which gives them no code.
  if (/^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(why)) {
    return { kind: "gone", why };
  }
  return { kind: "bug", why };
}

/** What a connection over several addresses failed with is in its parts. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error instanceof Error ? error.message : String(error);
}
