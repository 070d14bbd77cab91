// What runs leave: their components, contents by digest, and the last outputs of environments.
import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { Json, Output, RunComponent } from "../records.ts";
import type { Blobs, Components, Outputs } from "../store.ts";
import { draw } from "./database.ts";
import { takenOver } from "./losses.ts";
import { pack, unpack } from "./pack.ts";
import type { Db, Tables } from "./schema.ts";
import { filled, ownRun, type Scope, seqOf } from "./scope.ts";

const said = ["state", "steps", "cached", "ms", "outputs", "fingerprints", "definition", "error"] as const;
const columns = ["run", "path", ...said] as const;
const numbers: ReadonlySet<string> = new Set(["run", "steps", "cached", "ms"]);
const items = columns.map((name, at) => (numbers.has(name) ? `cast(item ->> ${at} as bigint)` : `item ->> ${at}`));
const change = said.map((name) => `${name} = excluded.${name}`);
/** Without a condition SQLite takes "on" for that of a join. */
const [fromItems, orChange] = [
  `insert into components (${columns.join(", ")}) select ${items.join(", ")} from`,
  `where true on conflict (run, path) do update set ${change.join(", ")}`,
];

export function components(scope: Scope): Components {
  return {
    put: (key, list) =>
      scope.database.write(async (db) => {
        const { seq: run } = await ownRun(db, scope, key);
        // A later one of the same path counts; two in one statement would be refused.
        const rows = [...new Map(list.map((component) => [component.path, componentRow(run, component)])).values()];
        await putRows(db, scope, rows);
      }),
    list: (id) =>
      scope.database.read(async (db) => {
        const run = await seqOf(db, scope, id);
        if (run === undefined) return [];
        const rows = await db.selectFrom("components").selectAll().where("run", "=", run).execute();
        return rows.map(componentOf).sort((a, b) => (a.path < b.path ? -1 : 1));
      }),
  };
}

type ComponentRow = Tables["components"];

async function putRows(db: Db, { database: { dialect } }: Scope, rows: readonly ComponentRow[]): Promise<void> {
  const list = JSON.stringify(rows.map((row) => columns.map((name) => row[name])));
  await sql`${sql.raw(fromItems)} ${dialect.list(list)} ${sql.raw(orChange)}`.execute(db);
}

function componentRow(run: number, component: RunComponent): ComponentRow {
  const { path, state, steps, cached, ms, outputs, fingerprints, definition = null } = component;
  // What processes say may hold it; PostgreSQL's text may not.
  const error = component.error?.replaceAll("\0", "\ufffd") ?? null;
  const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
  return {
    run,
    path,
    state,
    steps,
    cached,
    ms: Math.round(ms),
    outputs: json(outputs),
    fingerprints: json(fingerprints),
    definition,
    error,
  };
}

function componentOf({ run: _run, outputs, fingerprints, ...rest }: ComponentRow): RunComponent {
  return {
    ...filled(rest),
    ...(outputs === null ? {} : { outputs: JSON.parse(outputs) as Json }),
    ...(fingerprints === null ? {} : { fingerprints: JSON.parse(fingerprints) as Record<string, string> }),
  } as RunComponent;
}

export function blobs(scope: Scope): Blobs {
  const { database, tenant } = scope;
  return {
    put: async (key, bytes) => {
      const digest = digestOf(bytes);
      await database.write(async (db) => {
        const { seq: run } = await ownRun(db, scope, key);
        // Nobody prunes it between its row and its use. Where a writer is alone, nobody could.
        if (database.dialect.locksRows) await draw(db, "blob");
        const same = db.selectFrom("blobs").select("digest").where("tenant", "=", tenant).where("digest", "=", digest);
        // Most are there already, and packing is work.
        if ((await same.executeTakeFirst()) === undefined) {
          const once = db.insertInto("blobs").values({ tenant, digest, data: pack(bytes) });
          await once.onConflict((is) => is.columns(["tenant", "digest"]).doNothing()).execute();
        }
        const use = db.insertInto("blob_uses").values({ run, tenant, digest });
        await use.onConflict((is) => is.columns(["run", "digest"]).doNothing()).execute();
      });
      return digest;
    },
    get: (digest) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom("blobs")
          .select("data")
          .where("tenant", "=", tenant)
          .where("digest", "=", digest)
          .executeTakeFirst();
        return row === undefined ? undefined : new Uint8Array(unpack(row.data));
      }),
  };
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export function outputs(scope: Scope): Outputs {
  const { database, tenant } = scope;
  return {
    put: (key, list) =>
      // Not durable by itself: the end of the run is, and with it all that was written before.
      database.write(async (db) => {
        const { stack, env } = await ownRun(db, scope, key);
        for (const { component, value, provenance } of list) {
          const said = {
            value: JSON.stringify(value),
            provenance: JSON.stringify(provenance),
            run: key.id,
            time: scope.now(),
            token: key.token,
          };
          const written = await db
            .insertInto("outputs")
            .values({ tenant, stack, env, component, ...said })
            .onConflict((is) =>
              is.columns(["tenant", "stack", "env", "component"]).doUpdateSet(said).where("outputs.token", "<=", key.token),
            )
            .returning("token")
            .executeTakeFirst();
          if (written === undefined) throw takenOver(key.id);
        }
      }),
    get: async (stack, env, component) => (await read(scope, stack, env, component))[0],
    list: (stack, env) => read(scope, stack, env),
    clear: async (stack, env) => {
      await database.write((db) =>
        db.deleteFrom("outputs").where("tenant", "=", tenant).where("stack", "=", stack).where("env", "=", env).execute(),
      );
    },
  };
}

function read({ database, tenant }: Scope, stack: string, env: string, component?: string): Promise<Output[]> {
  return database.read(async (db) => {
    const rows = await db
      .selectFrom("outputs")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("stack", "=", stack)
      .where("env", "=", env)
      .$if(component !== undefined, (q) => q.where("component", "=", component ?? ""))
      .execute();
    const found = rows.map(({ tenant: _tenant, token: _token, value, provenance, ...rest }) => ({
      ...rest,
      value: JSON.parse(value) as Json,
      provenance: JSON.parse(provenance) as Json,
    }));
    return found.sort((a, b) => (a.component < b.component ? -1 : 1));
  });
}
