// Makes the tables, and changes those that an older dagger made. Forward only: a store of a newer dagger is refused. Append, never edit.
import { sql } from "kysely";
import { UserError } from "../../../compiler/index.ts";
import type { Dialect } from "../drivers/dialect.ts";
import type { Db } from "./schema.ts";

type Migration = (db: Db, types: Dialect["types"]) => Promise<void>;

const migrations: readonly Migration[] = [first, queue, lineage];

/** The version that this dagger makes and reads. */
export const newestFormat: number = migrations.length;

/** Brings the store to the newest format; the caller holds the lock that keeps others from doing the same. */
export async function migrate(db: Db, { types }: Dialect, place: string): Promise<void> {
  await db.schema.createTable("meta").ifNotExists().addColumn("name", "text", primary).addColumn("value", "text", present).execute();
  const found = await readFormat(db);
  refuseNewer(found, place);
  for (const migration of migrations.slice(found)) await migration(db, types);
  const format = { name: "format", value: String(newestFormat) };
  await db
    .insertInto("meta")
    .values(format)
    .onConflict((is) => is.column("name").doUpdateSet({ value: format.value }))
    .execute();
}

/** 0 for a store without tables. */
export async function readFormat(db: Db): Promise<number> {
  const row = await db.selectFrom("meta").select("value").where("name", "=", "format").executeTakeFirst();
  return row === undefined ? 0 : Number(row.value);
}

export function refuseNewer(format: number, place: string): void {
  if (format <= newestFormat) return;
  const message = `The store ${place} has format ${format}; this dagger knows formats up to ${newestFormat}`;
  throw new UserError(3, [{ code: "store-newer", message, at: [], hint: "Use the newer dagger that wrote it" }]);
}

interface Column {
  notNull(): this;
  primaryKey(): this;
}
const present = <C extends Column>(column: C): C => column.notNull();
const primary = <C extends Column>(column: C): C => column.primaryKey().notNull();

/** Columns of one type in a row: `a b` must have values, `c?` may not. */
async function table(db: Db, name: string, types: Dialect["types"], columns: Record<string, string>, keys: string[]) {
  let made = db.schema.createTable(name);
  for (const [type, names] of Object.entries(columns)) {
    for (const column of names.split(" ")) {
      const kind = type === "int" ? types.int : type === "bytes" ? types.bytes : sql`text`;
      made = column.endsWith("?") ? made.addColumn(column.slice(0, -1), kind) : made.addColumn(column, kind, present);
    }
  }
  await made.addPrimaryKeyConstraint(`${name}_key`, keys as never[]).execute();
}

const index = (db: Db, on: string, columns: string[]) =>
  db.schema
    .createIndex(`${on}_by_${columns.join("_")}`)
    .on(on)
    .columns(columns);

async function first(db: Db, types: Dialect["types"]): Promise<void> {
  const make = (name: string, columns: Record<string, string>, keys: string[]) => table(db, name, types, columns, keys);
  await make("counters", { text: "name", int: "value stamp" }, ["name"]);
  await make("holders", { text: "id machine birth label", int: "pid until" }, ["id"]);
  const runTexts = "id tenant stack env state versions request config? summary? reason? category? parent? cancelling? holder? idempotency";
  await make("runs", { int: "seq created started? ended? token passes", text: runTexts }, ["seq"]);
  await index(db, "runs", ["id"]).unique().execute();
  await index(db, "runs", ["tenant", "idempotency"]).unique().execute();
  // `runs.list`: one for each set of columns that is compared, with the order at its end.
  await index(db, "runs", ["tenant", "seq"]).execute();
  await index(db, "runs", ["tenant", "state", "seq"]).execute();
  await index(db, "runs", ["tenant", "stack", "seq"]).execute();
  await index(db, "runs", ["tenant", "stack", "env", "seq"]).execute();
  await index(db, "runs", ["tenant", "stack", "env", "state", "seq"]).execute();
  await index(db, "runs", ["holder", "state"]).execute();
  await make("components", { int: "run steps cached ms", text: "path state outputs? fingerprints? definition? error?" }, ["run", "path"]);
  await make("journals", { int: "run kind last kept head cut_from cut_to cut_bytes cut_lines" }, ["run", "kind"]);
  await make("chunks", { int: "run kind first last bytes lines", bytes: "data" }, ["run", "kind", "first"]);
  await make("blobs", { text: "tenant digest", bytes: "data" }, ["tenant", "digest"]);
  await make("blob_uses", { int: "run", text: "tenant digest" }, ["run", "digest"]);
  await index(db, "blob_uses", ["tenant", "digest"]).execute();
  const outputTexts = "tenant stack env component value provenance run";
  await make("outputs", { text: outputTexts, int: "time token" }, ["tenant", "stack", "env", "component"]);
  await make("leases", { int: "id token since superseded", text: "tenant key state run? holder ticket" }, ["id"]);
  await index(db, "leases", ["tenant", "key", "id"]).execute();
  await index(db, "leases", ["holder"]).execute();
  await index(db, "leases", ["ticket"]).unique().execute();
  // One holder, whatever happens: the database itself refuses a second.
  await db.schema
    .createIndex("leases_held_once")
    .unique()
    .on("leases")
    .columns(["tenant", "key"])
    .where(sql.ref("state"), "=", sql.lit("held"))
    .execute();
  for (const name of ["run", "token", "lease", "blob"]) {
    await sql`insert into counters (name, value, stamp) values (${sql.lit(name)}, 0, 0)`.execute(db);
  }
}

/** Runs that wait for workers. */
async function queue(db: Db, types: Dialect["types"]): Promise<void> {
  const texts = "id tenant stack env tags state request run? holder? reason? cancelling? idempotency ticket?";
  await table(db, "jobs", types, { int: "seq attempts token created ended?", text: texts }, ["seq"]);
  await index(db, "jobs", ["id"]).unique().execute();
  await index(db, "jobs", ["tenant", "idempotency"]).unique().execute();
  await index(db, "jobs", ["tenant", "state", "seq"]).execute();
  await index(db, "jobs", ["holder"]).execute();
  await sql`insert into counters (name, value, stamp) values (${sql.lit("job")}, 0, 0)`.execute(db);
}

/** Versions of sources and computations of nodes. */
async function lineage(db: Db, types: Dialect["types"]): Promise<void> {
  await table(db, "data", types, { int: "seq seen time", text: "tenant kind name id hex state run? detail" }, ["seq"]);
  await index(db, "data", ["tenant", "kind", "name", "id"]).unique().execute();
  await index(db, "data", ["tenant", "kind", "name", "seen"]).execute();
  await index(db, "data", ["tenant", "kind", "name", "hex"]).execute();
  await table(db, "data_edges", types, { int: "child parent", text: "kind" }, ["child", "parent", "kind"]);
  await sql`insert into counters (name, value, stamp) values ('datum', 0, 0)`.execute(db);
}
